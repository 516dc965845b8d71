# SPDX-License-Identifier: Apache-2.0
"""The files for systemd and Kubernetes that are shipped: whole, strict, and of settings that there are."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import INFLUENCE, INFLUENCED, ROOT

yaml = pytest.importorskip("yaml", reason="needs python3-yaml")
MANIFESTS = sorted((ROOT / "config/kubernetes").glob("*.yaml"))
SHIP = ROOT / "config/kubernetes/patches/ship.yaml"


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def deployment():
    return next(one for one in documents(ROOT / "config/kubernetes/influence.yaml") if one["kind"] == "Deployment")


def with_shipper():
    """The pod of the deployment when it is patched, as `kubectl patch` does it: lists of containers go by name."""
    [patch], pod = documents(SHIP), deployment()["spec"]["template"]["spec"]
    assert list(patch["spec"]["template"]["spec"]) == ["containers"]
    added = patch["spec"]["template"]["spec"]["containers"]
    assert not {one["name"] for one in added} & {one["name"] for one in pod["containers"]}
    return pod | {"containers": added + pod["containers"]}


def pods():
    """(file, name, pod) of everything that starts containers."""
    found = [(SHIP.name, "influenced", with_shipper())]
    for path in MANIFESTS:
        for document in documents(path):
            if "template" in document.get("spec", {}):
                found.append((path.name, document["metadata"]["name"], document["spec"]["template"]["spec"]))
    return found


def settings():
    """Environment variables of the daemon, from its own configuration."""
    section, names = "", set()
    for line in subprocess.run([INFLUENCED, "--print-config"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif match := re.match(r"#?([a-z0-9_]+) = ", line):
            names.add(f"INFLUENCED_{section}_{match[1]}".upper())
    return names


def test_there_is_something_to_look_at():
    kinds = {document["kind"] for path in MANIFESTS for document in documents(path)}
    assert {"Deployment", "Service", "Job", "PersistentVolumeClaim"} <= kinds
    assert len(pods()) >= 3 and "INFLUENCED_SERVER_THREADS" in settings()


def test_files_that_are_applied_together_do_not_change_each_others_objects():
    """Of a Job most cannot be changed: a second one of its name is refused."""
    names = [(document["kind"], document["metadata"]["name"]) for path in MANIFESTS for document in documents(path)]
    assert len(MANIFESTS) > 1 and sorted(set(names)) == sorted(names)


def test_workers_find_the_first_of_them():
    """Pods of an indexed job are NAME-INDEX, in the domain of a service without an address."""
    found = {document["kind"]: document for document in documents(ROOT / "config/kubernetes/train.yaml")}
    job, service = found["Job"], found["Service"]
    name, pod = job["metadata"]["name"], job["spec"]["template"]["spec"]
    environment = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert environment["DMLC_TRACKER_URI"] == f"{name}-0.{pod['subdomain']}" and pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": name} and service["spec"]["clusterIP"] == "None"
    assert len(name) + len("-1023") <= 63


@pytest.mark.parametrize("file,name,pod", pods(), ids=lambda value: value if isinstance(value, str) else "")
def test_pods_are_locked_down_and_mount_what_they_declare(file, name, pod):
    context = pod["securityContext"]
    assert context["runAsNonRoot"] and context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    declared = {volume["name"] for volume in pod["volumes"]}
    mounted = set()
    for container in pod["containers"]:
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] and own["allowPrivilegeEscalation"] is False, f"{file}: {name}"
        assert own["capabilities"] == {"drop": ["ALL"]}
        mounted |= {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == declared


@pytest.mark.parametrize("file,name,pod", pods(), ids=lambda value: value if isinstance(value, str) else "")
def test_images_commands_and_settings_are_there(file, name, pod):
    stages = re.findall(r"^FROM \S+(?: AS (\S+))?", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M | re.I)
    assert "trainer" in stages
    for container in pod["containers"]:
        assert container["image"] in ("influence", "influenced"), f"{file}: {name}"
        for variable in container.get("env", []):
            if variable["name"].startswith("INFLUENCED_"):
                assert variable["name"] in settings()
                assert isinstance(variable["value"], str)
        if container.get("command") == ["sleep", "infinity"]:
            assert container["image"] == "influence"  # for kubectl exec: see below
        elif container["image"] == "influence":
            words = container["args"] if "command" not in container else re.search(r"influence (\w.*)", container["args"][0])[1].split()
            helped = subprocess.run([INFLUENCE, words[0], "--help"], capture_output=True, text=True, check=False)
            assert helped.returncode == 0, f"{file}: influence {words[0]}"
            assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", helped.stdout))


def test_the_service_finds_the_pods_and_probes_ask_routes_that_are_there(start_daemon, hand_models):
    found = {document["kind"]: document for document in documents(ROOT / "config/kubernetes/influence.yaml")}
    deployment, service = found["Deployment"]["spec"], found["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert labels == deployment["selector"]["matchLabels"] == service["selector"]
    assert labels == found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    container = deployment["template"]["spec"]["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in service["ports"]} <= ports
    daemon = start_daemon(hand_models)
    for probe in ("readinessProbe", "livenessProbe"):
        ask = container[probe]["httpGet"]
        assert ask["port"] in ports and daemon.get(ask["path"])[0] == 200


def compose():
    return yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))["services"]


def commands_of(page, begin):
    """The lines of a page that begin so, each as words, without what a shell leaves out."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].split() for line in lines if line.strip().startswith(begin)]


def test_commands_of_the_operators_page_are_of_what_is_there():
    """Services, containers, mounts and options that docs/operations.md has typed."""
    services = compose()
    containers = {one["name"]: one for one in deployment()["spec"]["template"]["spec"]["containers"]}
    composed, executed = commands_of("docs/operations.md", "docker compose "), commands_of("docs/operations.md", "kubectl exec ")
    assert len(composed) >= 8 and len(executed) >= 2
    for words in composed:
        assert {word for word in words[2:] if word in ("train", "tools", "influenced")} <= set(services)
    tools = containers["tools"]
    typed = [words[words.index("tools") + 1:] for words in composed if "tools" in words]
    typed += [words[words.index("--") + 1:] for words in executed if words[words.index("-c") + 1] == "tools"]
    assert len(typed) >= 5
    for words in typed:
        assert words[0] == "influence"
        helped = subprocess.run([INFLUENCE, words[1], "--help"], capture_output=True, text=True, check=True).stdout
        assert words[2] in helped and {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", helped))
    # Where the default of --models, and the --db that is typed, lead to.
    assert services["tools"]["working_dir"] == tools["workingDir"] == "/" and services["tools"]["profiles"] == ["tools"]
    assert {mount.split(":")[1] for mount in services["tools"]["volumes"]} == {"/models", "/log"}
    assert {mount["mountPath"] for mount in tools["volumeMounts"]} == {"/models", "/log"}
    assert not any(mount.get("readOnly") for mount in tools["volumeMounts"])
    same = {mount["name"] for mount in tools["volumeMounts"]} == {mount["name"] for mount in containers["influenced"]["volumeMounts"]}
    assert same and {"/models", "/log"} <= set((ROOT / "Dockerfile").read_text(encoding="utf-8").split())


def test_shippers_are_typed_as_log_ship_wants_it():
    """By systemd and by compose, for the logs that the daemons there have."""
    unit = (ROOT / "config/systemd/influence-ship.service").read_text(encoding="utf-8")
    daemon = (ROOT / "config/systemd/influenced.service").read_text(encoding="utf-8")
    service = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))["services"]["ship"]
    helped = subprocess.run([INFLUENCE, "log", "--help"], capture_output=True, text=True, check=True).stdout
    by_systemd, by_compose = re.search(r"^ExecStart=/usr/bin/(.*)$", unit, re.M)[1], service["command"][0]
    for words in by_systemd.split(), by_compose[by_compose.index("influence log"):].split():
        assert words[:3] == ["influence", "log", "ship"]
        assert {"--db", "--to", "--table"} <= {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", helped))
    assert by_systemd.endswith(" --follow") and "INFLUENCED_LOG_PATH=/var/lib/influence/requests-%h.db" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for line in ("WorkingDirectory=%S/influence", "StateDirectory=influence", "DynamicUser=yes"):
        assert line in unit.splitlines() and line in daemon.splitlines()
    assert service["volumes"] == ["log:/log"] and service["profiles"] == ["ship"] and service["read_only"]


def test_the_shipper_beside_a_daemon_reads_its_log_and_outlives_it(tmp_path):
    """On Kubernetes: the script of compose, which test_log_ship.py runs. Files and mounts, and the times of a pod's end."""
    [patch] = documents(SHIP)
    assert {"kind": "Deployment", "apiVersion": "apps/v1"}.items() <= patch.items() and patch["metadata"]["name"] == deployment()["metadata"]["name"]
    pod = with_shipper()
    containers = {one["name"]: one for one in pod["containers"]}
    ship, daemon = containers["ship"], containers["influenced"]
    service = compose()["ship"]
    assert (ship["command"], ship["args"]) == (service["entrypoint"], [text.replace("$$", "$") for text in service["command"]])
    mounted = {mount["name"]: mount["mountPath"] for mount in daemon["volumeMounts"]}
    assert ship["volumeMounts"] == [{"name": "log", "mountPath": "/log"}]
    assert f"INFLUENCED_LOG_PATH={mounted['log']}/requests-%h.db" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    # One mount, by which SQLite's files are written and PostgreSQL is reached as the texts say.
    text = SHIP.read_text(encoding="utf-8")
    [secret] = [one["secretRef"]["name"] for one in ship["envFrom"]]
    assert f"secret generic {secret} " in text and "SHIP_TO=" in text and {one["name"] for one in ship["env"]} == {"SHIP_TABLE"}
    # Told together, the daemon ends after its pause and the requests that it still answers; a round of the shipper begins behind that.
    drain = re.search(r"^#?drain_timeout_ms = (\d+)", (ROOT / "config/influenced.conf").read_text(encoding="utf-8"), re.M)
    pause, wait = (int(one["lifecycle"]["preStop"]["exec"]["command"][1]) for one in (daemon, ship))
    round_s = int(re.search(r"while sleep (\d+)", ship["args"][0])[1])
    assert pause + int(drain[1]) / 1000 + round_s < wait < pod["terminationGracePeriodSeconds"] - round_s
    # And kubectl, where it is, puts them together as this test does.
    if shutil.which("kubectl"):
        base = tmp_path / "deployment.yaml"
        base.write_text(yaml.safe_dump(deployment()))
        merged = subprocess.run(["kubectl", "patch", "--local", "-f", base, "--patch-file", SHIP, "-o", "yaml"], capture_output=True,
                                text=True, timeout=120, check=False)
        assert merged.returncode == 0, merged.stderr
        assert yaml.safe_load(merged.stdout)["spec"]["template"]["spec"] == pod


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_units_are_understood_and_shut_in(tmp_path):
    """As installed, but for the program's place."""
    units = [tmp_path / name for name in ("influenced.service", "influenced.socket", "influence-ship.service")]
    for unit in units:
        text = (ROOT / "config/systemd" / unit.name).read_text(encoding="utf-8")
        unit.write_text(text.replace("/usr/bin/influenced", str(INFLUENCED)).replace("/usr/bin/influence ", f"{INFLUENCE} "))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    # 10 is no protection at all; systemd calls what is below 2 "OK".
    for unit in (units[0], units[2]):
        secured = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True, check=False
        )
        assert secured.returncode == 0, secured.stdout[-200:]


def test_a_table_is_mounted_by_its_whole_path_and_a_wrong_one_is_told(tmp_path):
    """DATA=... docker compose up: never a volume of that name, as the short form of a mount would make of it."""
    table = tmp_path / "file.csv"
    [mount] = [one for one in compose()["train"]["volumes"] if isinstance(one, dict)]
    assert mount == {"type": "bind", "source": "${DATA:-/dev/null}", "target": "/data/input.csv", "read_only": True}
    assert "DATA=$PWD/file.csv" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    if shutil.which("docker-compose"):
        done = subprocess.run(["docker-compose", "-f", ROOT / "docker/compose.yaml", "config"], capture_output=True, text=True,
                              env={**os.environ, "DATA": str(table)}, check=False)
        assert done.returncode == 0, done.stderr
        assert mount | {"source": str(table)} in yaml.safe_load(done.stdout)["services"]["train"]["volumes"]
    # What the job says of a path that is not there: the script as it stands, but for where it looks.
    [script] = compose()["train"]["command"]
    script = script.replace("$$", "$").replace("/data/input.csv", str(table)).replace("exec influence", "exec echo influence")
    for made, code, said in ((False, 2, "whole path"), (True, 0, f"influence train {table}")):
        if made:
            table.write_text("handle,followers\n")
        done = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, text=True, env={"DATA": str(table), "ROWS": "1", "SEED": "1"},
                              check=False)
        assert done.returncode == code and said in done.stdout + done.stderr
