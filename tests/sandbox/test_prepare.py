"""Every promise of `prepare`, on the real engine: made once, frozen, never half."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import life, policy
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import Cancelled, EngineDown, ImageMissing, RuntimeUnknown, SandboxError, SetupFailed
from sandbox.images.build import resolve
from sandbox.setup import _changed_system, _last_line
from sandbox.spec import Ending, Limits, Plan, Step
from tests.sandbox.asked import requests_of
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
CHECK = Step("check", "true")
SMALL = Limits(wall_s=20, memory=96 << 20)


def plan(*scripts: str, image: str = "debian", trust: str = "tests") -> Plan:
    steps = tuple(Step(f"step {number}", script) for number, script in enumerate(scripts))
    return Plan(image, steps, CHECK, trust=trust)


def _environments(engine: Engine, owner: str) -> set[str]:
    """Volumes of environments, whole or half, without the package caches beside them."""
    volumes = engine.volumes(f"heal.owner={owner}")
    return {volume.name for volume in volumes if volume.labels["heal.role"] in ("environment", "marker")}


def test_second_prepare_runs_nothing(sandbox: DockerSandbox, engine: Engine) -> None:
    """The same plan yields the same frozen volume without a container, also for another worker."""
    recipe = plan("date +%N >/env/when")
    first = sandbox.prepare(recipe, tree())
    other = DockerSandbox(None, sandbox.owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    asked = requests_of(other.engine)
    second = other.prepare(recipe, tree())
    assert len(asked) <= 10
    assert not [path for _, path in asked if "/containers" in path]
    other.close()
    show = Step("show", "cat /env/when")
    assert first.run(show, tree(), limits=SMALL).output == second.run(show, tree(), limits=SMALL).output


def test_another_trust_domain_has_its_own(sandbox: DockerSandbox) -> None:
    """A fork's set-up never writes what the base reads: other trust, other environment."""
    base = sandbox.prepare(plan("echo base >/env/who"), tree())
    fork = sandbox.prepare(plan("echo base >/env/who", trust="fork"), tree())
    assert base.key != fork.key


def test_packages_from_the_index(sandbox: DockerSandbox) -> None:
    """Set-up reaches the package index, and the check imports what it installed, without network."""
    environment = sandbox.prepare(plan("pip install -q iniconfig", image="python"), tree())
    assert environment.image == sandbox.engine.image_id(resolve("python"))  # nothing of it needs another image
    step = Step("check", "import iniconfig; print(iniconfig.__file__)", "python {0}")
    assert environment.run(step, tree(), limits=SMALL).output.text.startswith("/env/lib/python3")


def test_steps_pass_values_on(sandbox: DockerSandbox) -> None:
    """What a step writes to GITHUB_ENV, GITHUB_PATH and GITHUB_OUTPUT reaches the later steps and the check."""
    made = (
        "echo ONE=1 >>$GITHUB_ENV; printf 'MANY<<END\\na\\nb=c\\nEND\\n' >>$GITHUB_ENV; mkdir /env/tools; "
        "echo /env/tools >>$GITHUB_PATH; printf '#!/bin/sh\\necho tool\\n' >/env/tools/mine; chmod +x /env/tools/*; "
        "mkdir sub; printf 'said=${{env.ONE}}\\ndir=sub\\n' >>$GITHUB_OUTPUT"
    )
    said = "${{steps.a/b.outputs.said}}"
    used = f"""touch here; [ "$ONE$CI$(mine)" = 1truetool ] && [ '{said}${{{{env.ONE}}}}' = "$V" ]"""
    steps = (
        Step("made", made, id="a/b"),
        Step("used", used, env={"V": f"{said}1"}, workdir="${{steps.a/b.outputs.dir}}"),
    )
    environment = sandbox.prepare(Plan("debian", steps, CHECK, trust="tests"), tree())
    script = f"ls; echo \"$ONE $MANY\"; mine; echo '{said} ${{{{steps.a/b.outputs.no}}}}' $V"
    show = Step("check", script, env={"V": "${{env.ONE}}"}, workdir="${{steps.a/b.outputs.dir}}")
    result = environment.run(show, tree(), limits=SMALL)
    assert result.output.text == "here\n1 a\nb=c\ntool\n${{env.ONE}}  1\n"


def test_what_set_up_builds_in_the_workspace_returns(sandbox: DockerSandbox) -> None:
    """New files of the workspace are there in the check; the commit's own files are the commit's."""
    files = {"kept": "old"}
    environment = sandbox.prepare(
        plan("mkdir -p out; echo built >out/file; ln -s out link; echo new >kept"), tree(files)
    )
    result = environment.run(Step("check", "cat link/file kept"), tree({"kept": "commit"}), limits=SMALL)
    assert result.output.text == "built\ncommit"


def test_system_packages_stay(sandbox: DockerSandbox) -> None:
    """Files that set-up installs into the system, with sudo too, are there in the check, and its settings are not."""
    environment = sandbox.prepare(
        plan("cd /usr/local/bin; printf '#!/bin/sh\\necho system\\n' | sudo -E tee new >/dev/null; chmod +x new"),
        tree(),
    )
    assert environment.image != sandbox.engine.image_id(resolve("debian"))
    result = environment.run(Step("check", "new; env"), tree(), limits=SMALL)
    assert result.output.text.startswith("system\n")
    assert "SSL_CERT_FILE" not in result.output.text


def test_file_systems_are_compared_only_when_there_is_something(
    sandbox: DockerSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine takes a second to compare a container with its image: it is not asked after a set-up that wrote
    nothing into the system, and is where set-up's own word cannot be read."""
    asked: list[object] = []
    monkeypatch.setattr(policy, "installed_system_files", asked.append)
    sandbox.prepare(plan("echo 1 >/env/file; mkdir /usr/share/empty; echo 2 >/var/log/mine"), tree())
    assert asked == []
    sandbox.prepare(plan("echo 1 >/usr/local/file"), tree())
    assert len(asked) == 1
    assert all(_changed_system(last) for last in (b"", b"no json", b"[]", b"{}", b'{"system": null}'))
    assert not _changed_system(b'noise\n{"system": false}\n')


def test_failing_step_is_told_with_its_log(sandbox: DockerSandbox, engine: Engine) -> None:
    """A failing set-up step raises SetupFailed with its name, exit code and log, and no later step runs."""
    before = _environments(engine, sandbox.owner)
    with pytest.raises(SetupFailed) as caught:
        sandbox.prepare(plan("echo fine", "echo broken; exit 7", "echo never"), tree())
    assert (caught.value.step, caught.value.exit_code) == ("step 1", 7)
    assert "broken" in caught.value.log
    assert "never" not in caught.value.log
    assert _environments(engine, sandbox.owner) == before


def test_endless_set_up_is_ended(sandbox: DockerSandbox) -> None:
    """Set-up that does not end is SetupFailed at its deadline."""
    limits = Limits(wall_s=-29, memory=96 << 20)  # one second, with the thirty that starting a container may take
    hasty = DockerSandbox(None, sandbox.owner, state_dir=STATE, setup_limits=limits)
    with pytest.raises(SetupFailed, match="out of time"):
        hasty.prepare(plan("sleep 600"), tree())
    hasty.close()


def test_cancelled_set_up_leaves_nothing(sandbox: DockerSandbox, engine: Engine) -> None:
    """Cancelling ends a set-up soon and leaves no volume."""
    before = _environments(engine, sandbox.owner)
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    with pytest.raises(Cancelled):  # not SetupFailed, as at the deadline
        sandbox.prepare(plan("sleep infinity # cancelled"), tree(), cancel)
    assert _environments(engine, sandbox.owner) == before


def test_workers_that_prepare_at_once_agree(sandbox: DockerSandbox, engine: Engine) -> None:
    """Two workers that make the same environment at the same time end with one, and it is whole."""
    recipe = plan("head -c 8 /dev/urandom | od -An -tx1 >/env/random; sleep 0.3")
    other = DockerSandbox(None, sandbox.owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    with ThreadPoolExecutor(2) as pool:
        environments = list(pool.map(lambda worker: worker.prepare(recipe, tree()), (sandbox, other)))
    other.close()
    show = Step("show", "cat /env/random")
    seen = {environment.run(show, tree(), limits=SMALL).output.text for environment in environments}
    assert len(seen) == 1
    volumes = engine.volumes(f"heal.key={environments[0].key}")
    roles = sorted(volume.labels["heal.role"] for volume in volumes)
    assert [role for role in roles if role != "used"] == ["environment", "marker"]


def test_an_environment_that_was_removed_is_made_again(sandbox: DockerSandbox, engine: Engine) -> None:
    """A marker whose volume is gone is not believed."""
    recipe = plan("echo again >/env/file")
    first = sandbox.prepare(recipe, tree())
    marker = engine.volume(f"heal-env-{first.key}")
    assert marker is not None
    assert engine.remove_volume(marker.labels["heal.volume"])
    with pytest.raises(SandboxError, match="prepare it again"):
        first.run(CHECK, tree(), limits=SMALL)
    result = sandbox.prepare(recipe, tree()).run(Step("check", "cat /env/file"), tree(), limits=SMALL)
    assert (result.ending, result.output.text) == (Ending.PASSED, "again\n")


def test_what_we_lack_is_raised_with_its_repair(sandbox: DockerSandbox, tmp_path: Path) -> None:
    """An image nobody may be asked for, an unknown runtime and no engine are our errors, each with its kind."""
    with pytest.raises(ImageMissing) as missing:
        sandbox.prepare(plan(image="registry.corp.test/none:such"), tree())
    assert missing.value.repair == "add registry.corp.test to HEAL_IMAGE_REGISTRIES"
    strange = DockerSandbox(None, sandbox.owner, runtime="no-such-runtime", state_dir=STATE)
    with pytest.raises(RuntimeUnknown):
        strange.prepare(plan("true # runtime"), tree())
    strange.close()
    nobody = DockerSandbox(f"unix://{tmp_path}/engine.sock", sandbox.owner, state_dir=STATE)
    with pytest.raises(EngineDown):
        nobody.prepare(plan(), tree())


def test_doctor_is_content_here(sandbox: DockerSandbox) -> None:
    """On a working machine every finding is good, the probe container's limits included."""
    findings = sandbox.doctor()
    assert [finding for finding in findings if not finding.ok] == []
    assert {"container engine", "limits", "disk", "image python"} <= {finding.what for finding in findings}


def test_doctor_without_engine(tmp_path: Path) -> None:
    """Without an engine there is one finding, and it names the repair."""
    (finding,) = DockerSandbox(f"unix://{tmp_path}/engine.sock", "tests", state_dir=tmp_path).doctor()
    assert not finding.ok
    assert finding.repair == "deploy/bootstrap services"


@pytest.mark.parametrize(
    "said",
    [
        b'{"outputs": ["a", 1]}',
        b'{"outputs": 7}',
        b'{"values": ["a"]}',
        b'{"values": {"a": 1}}',
        b'{"disk": "limit"}',
        b'{"disk": "floor", "written": "x"}',
        b'{"disk": "limit", "written": -1}',
        b'{"failed": ["x"]}',
        b'{"failed": "x", "exit_code": {}}',
        b'{"notes": ["\\ud800"]}',
        b"[" * 100_000,
    ],
)
def test_a_last_word_of_another_shape_is_none(said: bytes) -> None:
    """In an image of others the first process is theirs: what it says never ends our own."""
    assert _last_line(said) is None
    assert _changed_system(said)


def test_a_long_list_of_changes_is_not_read(sandbox: DockerSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set-up decides how many paths there are and how long: beyond a limit the image is made unseen."""
    asked: list[object] = []
    monkeypatch.setattr(life, "_CHANGES_LIMIT", 1000)
    monkeypatch.setattr(policy, "installed_system_files", asked.append)
    environment = sandbox.prepare(
        plan("mkdir /opt/many; cd /opt/many; for n in $(seq 200); do : >file$n; done"), tree()
    )
    assert asked == []
    assert environment.image != sandbox.engine.image_id(resolve("debian"))
