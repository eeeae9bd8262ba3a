"""The engine's part of `/api/v1/`."""

from django.urls import URLPattern, path

from workflows.api import activities, acts, deliveries, messages, metrics, panels, runs, timers, tokens, unlogged

unlogged.hide_tokens()

urlpatterns: list[URLPattern] = [
    path("auth/token/", tokens.Tokens.as_view(), name="api-token"),
    path("workflows/", runs.WorkflowTypes.as_view(), name="api-workflows"),
    path("runs/", runs.Runs.as_view(), name="api-runs"),
    path("runs/<uuid:run_id>/", runs.OneRun.as_view(), name="api-run"),
    path("runs/<uuid:run_id>/steps/", runs.RunSteps.as_view(), name="api-run-steps"),
    path("runs/<uuid:run_id>/history/", runs.RunHistory.as_view(), name="api-run-history"),
    path("runs/<uuid:run_id>/compensation-plan/", runs.RunPlan.as_view(), name="api-run-plan"),
    path("runs/<uuid:run_id>/money/", panels.RunMoney.as_view(), name="api-run-money"),
    path("runs/<uuid:run_id>/related/", panels.RunRelated.as_view(), name="api-run-related"),
    path("records/<str:kind>/<uuid:record_id>/", panels.OneRecord.as_view(), name="api-record"),
    path("search/", panels.Search.as_view(), name="api-search"),
    path("work-queues/", panels.WorkQueues.as_view(), name="api-work-queues"),
    path("runs/<uuid:run_id>/cancel/", acts.CancelRun.as_view(), name="api-run-cancel"),
    path("runs/<uuid:run_id>/pause/", acts.PauseRun.as_view(), name="api-run-pause"),
    path("runs/<uuid:run_id>/resume/", acts.ResumeRun.as_view(), name="api-run-resume"),
    path("runs/<uuid:run_id>/retry/", acts.RetryRun.as_view(), name="api-run-retry"),
    path("runs/<uuid:run_id>/compensate/", acts.CompensateRun.as_view(), name="api-run-compensate"),
    path("runs/<uuid:run_id>/rerun/", acts.Rerun.as_view(), name="api-run-rerun"),
    path("runs/<uuid:run_id>/steps/<int:seq>/resolve/", acts.ResolveStep.as_view(), name="api-step-resolve"),
    path("runs/<uuid:run_id>/signals/<str:name>/", messages.Signals.as_view(), name="api-run-signal"),
    path("runs/<uuid:run_id>/queries/<str:name>/", messages.Queries.as_view(), name="api-run-query"),
    path("runs/<uuid:run_id>/updates/<str:name>/", messages.Updates.as_view(), name="api-run-update"),
    path("metrics/", metrics.Metrics.as_view(), name="api-metrics"),
    path("events/deliveries/", deliveries.Deliveries.as_view(), name="api-deliveries"),
    path("events/deliveries/<int:number>/", deliveries.OneDelivery.as_view(), name="api-delivery"),
    path("events/deliveries/<int:number>/replay/", deliveries.ReplayDelivery.as_view(), name="api-delivery-replay"),
    path("events/deliveries/<int:number>/drop/", deliveries.DropDelivery.as_view(), name="api-delivery-drop"),
    path("timers/", timers.Timers.as_view(), name="api-timers"),
    path("runs/<uuid:run_id>/timers/<int:seq>/move/", timers.MoveTimer.as_view(), name="api-timer-move"),
    path("activities/<str:token>/complete/", activities.CompleteActivity.as_view(), name="api-activity-complete"),
    path("activities/<str:token>/fail/", activities.FailActivity.as_view(), name="api-activity-fail"),
    path("activities/<str:token>/heartbeat/", activities.HeartbeatActivity.as_view(), name="api-activity-heartbeat"),
]
