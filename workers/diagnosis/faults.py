"""Lines that say what is wrong where no tool's module speaks: a call, a lock file, a build, syntax. Data only."""

from __future__ import annotations

from workers.diagnosis.lines import ANYBODY, Voice, table

_NPM = Voice("npm (?:ERR!|error) ")
_PNPM = Voice(" ?ERR_PNPM_")
_ACTION = Voice("(?:Error: )?")
_PROGRAM = Voice(r"(?:\S{1,80}: ){0,2}(?:error: |Error: )?")
_MAKE = Voice(r"make(?:\[\d{1,3}\])?: ")
_GONE = "(?:command not found|not found|Permission denied|No such file or directory)"
_MAVEN = Voice(r"\[ERROR\] ")

CONFLICT = table(
    Voice("ERROR: ").says("ResolutionImpossible: ", "Cannot install .{1,600} these package versions have conflicting"),
    Voice(r"  \W ").says("No solution found when resolving"),
    _NPM.says(r"(?:code )?(?:ERESOLVE|EUSAGE|ETARGET|EOVERRIDE)\b"),
    _PNPM.says("OUTDATED_LOCKFILE", "NO_MATCHING_VERSION", "LOCKFILE_", "PEER_DEP_ISSUES"),
    Voice(r"error |\S{0,3} ?YN0028: ").tells_of(
        "Your lockfile needs to be updated", "lockfile would have been modified"
    ),
    Voice("error: ").says(
        "(?:the|cannot update the) lock file .{1,400} (?:needs to be updated|because --locked)",
        "The lockfile at `",
        "failed to select a version for",
    ),
    ANYBODY.says(r"pyproject\.toml changed significantly since (?:poetry|pdm)\.lock"),
    ANYBODY.says(r"go: updates to go\.(?:mod|sum) needed", "go: inconsistent vendoring"),
    ANYBODY.says(r"\S{1,300}\.go:\d{1,7}:\d{1,7}: missing go\.sum entry", r"verifying \S{1,300}: checksum mismatch"),
)
"""What cannot be taken for a registry that did not answer."""

NOT_RESOLVED = table(
    Voice("ERROR: ").says(
        "Could not find a version that satisfies the requirement ", "No matching distribution found for "
    ),
    _MAVEN.tells_of("Could not find artifact", "Could not resolve dependencies"),
    ANYBODY.says(r" {0,10}> Could not find \S{1,300}\.$"),
    _NPM.says(r"code E404\b"),
)

SYNTAX = table(
    ANYBODY.says(
        r"(?:E {2,8})?(?:SyntaxError|IndentationError|TabError)(?:: |$)",
        r"\S{0,300}: line \d{1,7}: syntax error",
        r"\S{0,300}: \d{1,7}: Syntax error: ",
    )
)
UNBOUND = table(ANYBODY.says("(?:NameError|ImportError|ReferenceError): "))
HEADER = table(ANYBODY.says(r"\S{1,300}:\d{1,7}:\d{1,7}: fatal error: \S{1,300}: No such file or directory"))
"""What a C compiler says of a library that is not installed."""

CALL = table(
    ANYBODY.says(
        rf"\S{{0,300}}: (?:line )?\d{{1,7}}: \S{{1,300}}: {_GONE}$",
        r"\S{0,300}: line \d{1,7}: \S{1,300}: cannot execute",
        rf"(?:\S{{0,300}}/)?(?:bash|sh|zsh): (?:line \d{{1,7}}: )?\S{{1,300}}: {_GONE}$",
        ".{0,200}: command not found$",
        r"(?:python3?|\S{1,300}/python[\d.]{0,5}): can't open file '",
        r"flag provided but not defined: ",
    ),
    _MAKE.says(
        r"\*\*\* No rule to make target ",
        r"\*\*\* No targets",
        r"\S{1,200}: (?:No such file or directory|Command not found)$",
    ),
    _NPM.says("Missing script: ", "enoent ", r"code ENOENT\b"),
    _PNPM.says("NO_SCRIPT", "NO_IMPORTER_MANIFEST"),
    ANYBODY.says('error Command "[^"]{1,200}" not found', "Usage Error: Couldn't find a script named"),
    _ACTION.says(
        "Input required and not supplied: ",
        "Unable to resolve action ",
        "This request has been automatically failed because it uses a deprecated version of ",
        r"Can't find 'action\.yml'",
        "The version '.{1,80}' with architecture",
        r"Unable to find \S{1,60} version",
        r"Version .{1,60} was not found",
        "(?:The workflow is not valid|Invalid workflow file|The template is not valid)",
        "No file in .{1,300} matched to|Dependencies lock file is not found",
        "(?:No such (?:option|command)|Found argument)",
    ),
    _PROGRAM.says(
        "unrecogni[sz]ed (?:arguments?|options?)",
        "(?:no such|unknown|invalid|unexpected) (?:option|flag|command|subcommand|argument)",
    ),
    Voice("ERROR: ").says(
        "Could not open requirements file",
        "file or directory not found",
        "usage: ",
        "Invalid requirement",
        "failed to solve: (?:failed to read dockerfile|dockerfile parse error)",
    ),
    ANYBODY.says("unable to prepare context: ", "ruff failed$", r"ROOT: HandledError\|"),
    ANYBODY.says("Oops! Something went wrong! :", "ESLint couldn't find"),
    ANYBODY.says("An error has occurred: Invalid(?:Config|Manifest)Error"),
    _MAVEN.says("Unknown lifecycle phase", "No plugin found for prefix", "The goal you specified requires a project"),
    ANYBODY.says("Task '.{1,200}' not found in"),
)

BUILD = table(
    ANYBODY.says(
        r"(?:\S{1,300}/)?(?:ld|collect2|clang|gcc|cc1|cc1plus|g\+\+|c\+\+): (?:error|fatal error): ",
        r".{1,400}: undefined reference to ",
        r"\S{1,300}:\d{1,7}(?::\d{1,7})?: (?:fatal )?error: ",
        r"(?:x|\W) Build failed in ",
        "error during build:",
        r"ERROR in \./|Failed to compile\.?$",
        "ninja: build stopped: |error: could not compile `|CMake Error",
        r"\* What went wrong:$",
        "error: subprocess-exited-with-error",
    ),
    Voice("ERROR: ").says("Failed (?:building wheel|to build)", 'failed to solve: process "'),
    _MAVEN.says("COMPILATION ERROR"),
)

ASSERTED = table(ANYBODY.says(r'Exception in thread "[^"\n]{1,100}" java\.lang\.AssertionError\b'))
"""A program that checks itself, and ends with what it found."""
