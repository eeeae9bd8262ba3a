"""Every door of the platform: console, REST, health, metrics."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from wallet import urls as wallet

handler400 = "finaegis.api_errors.bad_request"
handler403 = "finaegis.api_errors.permission_denied"
handler404 = "finaegis.api_errors.page_not_found"
handler500 = "finaegis.api_errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("workflows.urls")),
    path("api/v1/", include("ledger.urls")),
    path("api/v1/", include("treasury.urls")),
    path("api/v1/", include("lending.urls")),
    path("api/v1/", include("exchange.urls")),
    path("api/v1/", include("wallet.urls")),
    path("api/v1/", include("reporting.urls")),
    path("wallet/", include(wallet.customer_pages)),
    path("", include("finaegis.views")),
]
