"""One dialog sent several times at the same moment, against a real database."""

import threading

from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from tests.admin.browsing import once_of
from tests.admin.flows import HopelessWorkflow
from workflows import operations, queries
from workflows.models import AuditEntry

SENDERS = 6


def race(post, senders=SENDERS):
    """What each of `post()` gave when all were called at once."""
    barrier, answers = threading.Barrier(senders), []

    def send():
        barrier.wait()
        answers.append(post())

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def send_pause_at_once():
    """(status codes, audit rows of the pause, events of the run) of one pause dialog sent many times at once."""
    user = User.objects.create_superuser("racer", password="x")
    run = operations.start_run(HopelessWorkflow, trade="T-1")
    client = Client()
    client.force_login(user)
    url = reverse("admin:workflows_run_pause", args=[run.id])
    fields = {"once": once_of(client.get(url)), "reason": "all at once"}
    cookies = client.cookies

    def post():
        sender = Client()
        sender.cookies = cookies
        try:
            return sender.post(url, fields).status_code
        finally:
            connections.close_all()

    codes = race(post)
    acts = AuditEntry.objects.filter(run_id=run.id, act="pause").count()
    return sorted(codes), acts, [event.kind for event in queries.get_history(run.id)]
