"""The platform's roles: which group begins with which permissions.

Groups are data, made after each migration wherever they are missing. An existing group only gains permissions that the
migration itself brought, so what an administrator took away stays away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import router

#: The apps whose permissions roles are made of.
_DOMAINS = ("ledger", "treasury", "lending", "exchange", "wallet", "reporting")
_ENGINE = "workflows"
_STAFF = ("auth", "admin")
#: What an auditor sees beside the business: who may do what, and what was edited.
_STAFF_VIEWS = frozenset({"view_user", "view_group", "view_logentry"})
_AUDIT = "view_auditentry"
#: What an operator edits in the treasury, or asks for; allocations and events are written by operations alone.
_EDITED = ("_treasuryaccount", "_instrument", "_riskassessment")
#: What an operator records there.
_RECORDED = "add_movement"
#: What an operator adds and changes in the wallet, always by its operations.
_CARRIED = ("_walletaccount", "_destination", "_withdrawal", "_case")
#: What an operator adds and changes on the exchange: accounts, instruments, orders, and trades that are held.
_TRADED = ("_tradingaccount", "_instrument", "_order", "_trade")
#: What an approver decides: cases, and how much may leave. Whoever carries withdrawals does not raise their limits.
_DECIDED = frozenset({"change_case", "add_limitset", "change_limitset"})
#: What an approver decides in the treasury: compliance cases, and from how much on movements are examined.
_COMPLIED = frozenset({"decide_compliancecase", "add_amlthreshold", "change_amlthreshold"})

#: What an operator does in lending; an approver decides reviews too, and the operation refuses one's own applications.
_REVIEWED = "decide_application"
_LENT = frozenset({_REVIEWED, "add_application", "add_loan", "add_disbursement", "change_receivablecase"})

#: Who may see what a report is made of may also get its file; an operator orders one.
_GOT, _ORDERED = "download_report", "add_report"

Named = tuple[str, str]


def _views(app: str, codename: str) -> bool:
    # A query of a run reads its state and changes nothing.
    return app in (_ENGINE, *_DOMAINS) and (codename.startswith("view_") or codename in ("query_run", _GOT))


def _operates(app: str, codename: str) -> bool:
    if app == _ENGINE:
        # Operators also enter the holidays that timers go by.
        return codename.endswith("_run") or codename == "change_calendar"
    if app == "lending":
        return codename in _LENT
    if app == "treasury" and codename == _RECORDED:
        return True
    if app == "reporting":
        return codename == _ORDERED
    edited = {"treasury": _EDITED, "exchange": _TRADED, "wallet": _CARRIED}.get(app, ())
    return codename.startswith(("add_", "change_")) and codename.endswith(edited)


def _operator(app: str, codename: str) -> bool:
    return _views(app, codename) or _operates(app, codename)


def _approver(app: str, codename: str) -> bool:
    decides = {"lending": (_REVIEWED,), "treasury": _COMPLIED, "wallet": _DECIDED}.get(app, ())
    return _views(app, codename) or codename in decides


def _viewer(app: str, codename: str) -> bool:
    return _views(app, codename) and codename != _AUDIT


def _auditor(app: str, codename: str) -> bool:
    return _views(app, codename) or (app in _STAFF and codename in _STAFF_VIEWS)


#: Group -> whether it holds a permission (app label, codename).
ROLES: dict[str, Callable[[str, str], bool]] = {
    "operator": _operator,
    "approver": _approver,
    "viewer": _viewer,
    "auditor": _auditor,
}


def make_groups(*, using: str, apps: Apps = installed, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: make the groups that are missing and give new permissions to those that exist.

    The `flush` command sends the signal without `apps`: the installed ones are meant then.
    """
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return
    if not router.allow_migrate_model(using, group_model):
        return
    labels = [label for label in (*_STAFF, _ENGINE, *_DOMAINS) if label in apps.app_configs]
    stored = permission_model._default_manager.using(using).filter(content_type__app_label__in=labels)
    before = set(stored.values_list("pk", flat=True))
    for label in labels:
        # Permissions come from the same signal, app by app; some of these apps have not had their turn yet.
        create_permissions(installed.get_app_config(label), verbosity=0, interactive=False, using=using, apps=apps)
    permissions = list(stored.values_list("pk", "content_type__app_label", "codename"))
    for name, holds in ROLES.items():
        group, created = group_model._default_manager.using(using).get_or_create(name=name)
        held = [pk for pk, app, codename in permissions if holds(app, codename) and (created or pk not in before)]
        if held:
            group.permissions.add(*held)
