"""The actions that give a job a language, and the languages that the sandbox has no image for.

Adding one is one name in a tuple. An action that is not here is known by its name, as far as that goes. Those of Rust
are in `special`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.languages import BY_KEY
from workers.actions.row import Action, Effect

_GIVES: Mapping[str, tuple[str, ...]] = {
    "python": ("actions/setup-python", "deadsnakes/action", "gabrielfalcao/pyenv-action"),
    "node": ("actions/setup-node", "volta-cli/action"),
    "go": ("actions/setup-go",),
    "java": (
        "actions/setup-java",
        "joschi/setup-jdk",
        "oracle-actions/setup-java",
        "s4u/setup-maven-action",
        "stcarolas/setup-maven",
    ),
}
_NO_IMAGE: Mapping[str, tuple[str, ...]] = {
    ".NET": ("actions/setup-dotnet",),
    "the Android SDK": ("android-actions/setup-android",),
    "Clojure": ("delaguardo/setup-clojure",),
    "Conda's packages": (
        "conda-incubator/setup-miniconda",
        "mamba-org/provision-with-micromamba",
        "mamba-org/setup-micromamba",
        "prefix-dev/setup-pixi",
        "s-weigand/setup-conda",
    ),
    "Crystal": ("crystal-lang/install-crystal", "oprypin/install-crystal"),
    "D": ("dlang-community/setup-dlang",),
    "Dart": ("dart-lang/setup-dart",),
    "Emacs Lisp": ("purcell/setup-emacs",),
    "Erlang and Elixir": ("erlef/setup-beam", "erlef/setup-elixir", "actions/setup-elixir", "gleam-lang/setup-gleam"),
    "Flutter": ("subosito/flutter-action",),
    "Fortran": ("fortran-lang/setup-fortran", "awvwgk/setup-fortran"),
    "Haskell": ("actions/setup-haskell", "haskell-actions/setup", "haskell/actions/setup"),
    "Julia": ("julia-actions/setup-julia", "julia-actions/julia-runtest", "julia-actions/julia-buildpkg"),
    "LaTeX": ("teatimeguest/setup-texlive-action", "xu-cheng/latex-action", "xu-cheng/texlive-action"),
    "Lua": ("leafo/gh-actions-lua",),
    "Nim": ("jiro4989/setup-nim-action",),
    "Nix": (
        "cachix/cachix-action",
        "cachix/install-nix-action",
        "determinatesystems/determinate-nix-action",
        "determinatesystems/nix-installer-action",
        "jetify-com/devbox-install-action",
        "nixbuild/nix-quick-install-action",
    ),
    "OCaml": ("ocaml/setup-ocaml", "avsm/setup-ocaml"),
    "Perl": ("shogo82148/actions-setup-perl",),
    "PHP": ("shivammathur/setup-php", "ramsey/composer-install"),
    "R": ("r-lib/actions/setup-r", "r-lib/actions/setup-r-dependencies", "r-lib/actions/check-r-package"),
    "Ruby": ("ruby/setup-ruby", "actions/setup-ruby"),
    "Scala's sbt": ("coursier/setup-action", "olafurpg/setup-scala", "sbt/setup-sbt"),
    "Swift": ("swift-actions/setup-swift",),
    "Zig": ("goto-bus-stop/setup-zig", "korandoru/setup-zig", "mlugg/setup-zig"),
}
_ALSO = {"nodejs": "node", "golang": "go", "jdk": "java", "rust-toolchain": "rust", "rustup": "rust"}
_NAMED = re.compile(r"(?:^|/)(?:setup|install)-([a-z][a-z-]{0,30}?)(?:-action)?$")

ROWS: Mapping[str, Action] = {
    **{name: Action(Effect.LANGUAGE, language=key) for key, names in _GIVES.items() for name in names},
    **{
        name: Action(Effect.REFUSED, f"the sandbox has no image for {title} yet")
        for title, names in _NO_IMAGE.items()
        for name in names
    },
}
_REFUSED_BY_NAME: Mapping[str, Action] = {
    match[1]: row for name, row in ROWS.items() if row.effect is Effect.REFUSED and (match := _NAMED.search(name))
}


def by_name(name: str) -> Action | None:
    """An action nobody has told us of, if its name says that it gives a language: `someone/setup-python`."""
    match = _NAMED.search(name)
    if match is None:
        return None
    key = _ALSO.get(match[1], match[1])
    if key in BY_KEY and key != "debian":
        why = f"by its name it gives {BY_KEY[key].title}, which is here; what else it does is not known"
        return Action(Effect.LEFT_OUT, why, language=key)
    return _REFUSED_BY_NAME.get(key)
