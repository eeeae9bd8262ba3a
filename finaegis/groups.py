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
_DOMAINS = ("ledger", "treasury")
_ENGINE = "workflows"
_STAFF = ("auth", "admin")
#: What an auditor sees beside the business: who may do what, and what was edited.
_STAFF_VIEWS = frozenset({"view_user", "view_group", "view_logentry"})
_AUDIT = "view_auditentry"
#: What an operator edits in the treasury; allocations and events are written by operations alone.
_EDITED = ("_treasuryaccount", "_instrument")

Named = tuple[str, str]


def _views(app: str, codename: str) -> bool:
    return app in (_ENGINE, *_DOMAINS) and codename.startswith("view_")


def _operates(app: str, codename: str) -> bool:
    if app == _ENGINE:
        return codename.endswith("_run")
    return app == "treasury" and codename.startswith(("add_", "change_")) and codename.endswith(_EDITED)


def _operator(app: str, codename: str) -> bool:
    return _views(app, codename) or _operates(app, codename)


def _viewer(app: str, codename: str) -> bool:
    return _views(app, codename) and codename != _AUDIT


def _auditor(app: str, codename: str) -> bool:
    return _views(app, codename) or (app in _STAFF and codename in _STAFF_VIEWS)


#: Group -> whether it holds a permission (app label, codename).
ROLES: dict[str, Callable[[str, str], bool]] = {
    "operator": _operator,
    "approver": _views,
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
