"""Heads of histories, sealed to an append-only file, so that a cut tail shows (SEMANTICS E24)."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workflows import clock, conf, crypto
from workflows.core import payloads
from workflows.models import HistoryEvent, Run


@dataclass(frozen=True, slots=True)
class Seal:
    """The head of one run's history at the time of sealing."""

    run_id: uuid.UUID
    position: int
    hash: str
    genuine: bool


def seal_heads() -> int:
    """Append the heads that moved since the last seal; gives how many lines were written. 0 without a seal file."""
    path = conf.engine().seal_file
    if not path:
        return 0
    known = {seal.run_id: seal.position for seal in read_seals()}
    since = _latest_seal()
    runs = Run.objects.all()
    if since is not None:
        moved = HistoryEvent.objects.filter(at__gte=since).values("run_id").distinct()
        runs = runs.filter(id__in=moved)
    lines = []
    for run_id, position, digest in runs.values_list("id", "head_seq", "head_hash").iterator():
        if known.get(run_id) != position:
            lines.append(_line(run_id, position, bytes(digest).hex()))
    if lines:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write("".join(lines))
    return len(lines)


def _line(run_id: uuid.UUID, position: int, digest: str) -> str:
    body = payloads.dumps({"run": str(run_id), "position": position, "hash": digest, "at": clock.now().isoformat()})
    return f"{body} {crypto.seal_mac(body)}\n"


def read_seals() -> Iterator[Seal]:
    """Every seal in the order written; `genuine` is False for a line somebody edited."""
    path = conf.engine().seal_file
    if not path or not Path(path).exists():
        return
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            body, _, mac = line.rstrip("\n").rpartition(" ")
            try:
                data = json.loads(body)
                run_id, position, digest = uuid.UUID(data["run"]), int(data["position"]), str(data["hash"])
            except (ValueError, KeyError, TypeError):
                yield Seal(uuid.UUID(int=0), 0, "", False)
                continue
            yield Seal(run_id, position, digest, crypto.seal_mac(body) == mac)


def _latest_seal() -> datetime | None:
    path = Path(conf.engine().seal_file)
    if not path.exists():
        return None
    latest = None
    with path.open(encoding="utf-8") as file:
        for line in file:
            latest = line
    if latest is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(latest.rpartition(" ")[0])["at"])
    except (ValueError, KeyError, TypeError):
        return None
