"""Builds the stages of the Dockerfile in folders that begin as a clean Debian, each step in namespaces of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.container.dockerfile import Ignore, Stage, Step

DEBIAN = "debian:bookworm-slim"
# What the image of that name leaves out of Debian's packages.
SLIM = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "usr/share/lintian")
EMPTIED = ("var/lib/apt/lists", "var/cache/apt", "var/log")
# How this machine reaches the package registries; an engine would have arranged that itself.
LENT = ("PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY")
ENTER = """
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/run/lent-ca.crt"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" "$@"
"""


UNREACHABLE = ("Failed to fetch", "Temporary failure resolving", "Unable to locate package", "Couldn't download")


class StepError(RuntimeError):
    """A step of the Dockerfile failed; the message holds its output."""


class DebianUnreachable(RuntimeError):
    """Debian's packages cannot be downloaded; the message holds why."""


@dataclass
class Image:
    """What a stage has become."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


class Builder:
    """Builds stages on demand.

    Args:
        stages: those of the Dockerfile.
        context: the folder that is copied from.
        ignore: what of it is left out.
        work: an empty folder for the roots.
        cache: keeps the clean Debian and what was downloaded.
        given: stages that need not be built, as what they have become is there.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        context: Path,
        ignore: Ignore,
        work: Path,
        cache: Path,
        given: Mapping[str, Image],
    ) -> None:
        self._stages = stages
        self._context = context
        self._ignore = ignore
        self._work = work
        self._cache = cache
        self._built: dict[str, Image] = dict(given)

    def image(self, name: str) -> Image:
        """A stage, built if it is not."""
        if name not in self._built:
            self._built[name] = self._build(self._stages[name])
        return self._built[name]

    def _build(self, stage: Stage) -> Image:
        root = self._work / stage.name
        if stage.base in self._stages:
            before = self.image(stage.base)
            subprocess.run(["cp", "-a", before.root, root], check=True)
            image = Image(root, dict(before.env), before.workdir, before.user)
        else:
            if stage.base != DEBIAN:
                raise NotImplementedError(f"only {DEBIAN} can be had here, not {stage.base}")
            root.mkdir()
            # With its devices and owners; Python's own way to say so is not in 3.11.2, which Debian has.
            subprocess.run(["tar", "--extract", "--file", clean_debian(self._cache), "--directory", root], check=True)
            image = Image(root, {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
        for step in stage.steps:
            self._run(step, image)
        return image

    def _run(self, step: Step, image: Image) -> None:
        match step.name:
            case "RUN":
                self._shell(step, image)
            case "COPY":
                self._copy(step, image)
            case "ENV":
                image.env |= step.pairs()
            case "WORKDIR":
                image.workdir = step.rest
                _inside(image.root, step.rest).mkdir(parents=True, exist_ok=True)
            case "USER":
                image.user = step.rest
            case "ENTRYPOINT":
                image.entrypoint = step.words()
            case "CMD":
                image.command = step.words()
            case "HEALTHCHECK":
                image.health = Step("CMD", (), step.rest.partition("CMD ")[2], step.line).words()

    def _shell(self, step: Step, image: Image) -> None:
        binds: list[str] = []
        for kind, value in step.flags:
            options = dict(part.split("=", 1) for part in value.split(","))
            if kind != "mount" or options["type"] != "cache":
                raise NotImplementedError(f"line {step.line}: --{kind}={value}")
            kept = self._cache / options["target"].strip("/").replace("/", "-")
            kept.mkdir(parents=True, exist_ok=True)
            binds += [str(kept), options["target"]]
        lent = {name: os.environ[name] for name in LENT if name in os.environ}
        if "PIP_CERT" in os.environ:
            lent["PIP_CERT"] = "/run/lent-ca.crt"
        env = {"HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **lent, **image.env}
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh", str(image.root)]
        command += [*binds, "--", "/usr/bin/env", "-C", image.workdir, "-i", *(f"{k}={v}" for k, v in env.items())]
        done = subprocess.run([*command, "/bin/sh", "-c", step.rest], capture_output=True, text=True, check=False)
        if done.returncode:
            raise _failure(f"line {step.line}", done)

    def _copy(self, step: Step, image: Image) -> None:
        *sources, target = step.words()
        stage = step.flag("from")
        for source in sources:
            place = _inside(image.root, str(PurePosixPath(image.workdir) / target))
            if stage is not None:
                subprocess.run(["cp", "-aT", _inside(self.image(stage).root, source), place], check=True)
                continue
            given = self._context / source
            if given.is_file():
                if self._ignore(PurePosixPath(source)):
                    raise FileNotFoundError(f"line {step.line}: {source} is left out by .dockerignore")
                place = place / given.name if target.endswith("/") else place
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(given, place)
            else:
                for file in self._files(given):
                    copy = place / file.relative_to(given)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, copy)

    def _files(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if self._ignore(PurePosixPath(path.relative_to(self._context))):
                continue
            if path.is_dir() and not path.is_symlink():
                yield from self._files(path)
            else:
                yield path


def clean_debian(cache: Path) -> Path:
    """An archive of a clean Debian, made by debootstrap and kept."""
    archive = cache / f"{DEBIAN.replace(':', '-')}.tar"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    release = DEBIAN.partition(":")[2].removesuffix("-slim")
    root = cache / "debootstrap"
    shutil.rmtree(root, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", release, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _failure("debootstrap", done)
    for folder in (*SLIM, *EMPTIED):
        shutil.rmtree(root / folder, ignore_errors=True)
    for folder in EMPTIED:
        (root / folder).mkdir(parents=True)
    for folder in ("partial", "archives/partial"):
        (root / "var/cache/apt" / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text("".join(f"path-exclude=/{folder}/*\n" for folder in SLIM))
    (root / "etc/apt/apt.conf.d/slim").write_text(
        'Acquire::Retries "5";\nDir::Cache { pkgcache ""; srcpkgcache ""; }\n'
    )
    (root / "etc/resolv.conf").write_text("")
    made = archive.with_suffix(".new")
    subprocess.run(["tar", "-C", root, "-cf", made, "."], check=True)
    shutil.rmtree(root)
    made.rename(archive)
    return archive


def _failure(what: str, done: subprocess.CompletedProcess[str]) -> Exception:
    output = (done.stdout + done.stderr)[-4000:]
    kind = DebianUnreachable if any(words in output for words in UNREACHABLE) else StepError
    return kind(f"{what}: exit status {done.returncode}\n{output}")


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
