"""The exchange's part of `/api/v1/`."""

from django.urls import URLPattern, path

from exchange import api

urlpatterns: list[URLPattern] = [
    path("exchange/accounts/", api.TradingAccounts.as_view(), name="api-exchange-accounts"),
    path("exchange/accounts/<uuid:account_id>/", api.OneTradingAccount.as_view(), name="api-exchange-account"),
    path("exchange/accounts/<uuid:account_id>/deposits/", api.Deposits.as_view(), name="api-exchange-account-deposits"),
    path("exchange/instruments/", api.Instruments.as_view(), name="api-exchange-instruments"),
    path("exchange/instruments/<str:symbol>/", api.OneInstrument.as_view(), name="api-exchange-instrument"),
    path("exchange/instruments/<str:symbol>/halt/", api.HaltInstrument.as_view(), name="api-exchange-instrument-halt"),
    path("exchange/instruments/<str:symbol>/open/", api.OpenInstrument.as_view(), name="api-exchange-instrument-open"),
    path("exchange/books/<str:symbol>/", api.OneBook.as_view(), name="api-exchange-book"),
    path("exchange/orders/", api.Orders.as_view(), name="api-exchange-orders"),
    path("exchange/orders/<uuid:order_id>/", api.OneOrder.as_view(), name="api-exchange-order"),
    path("exchange/orders/<uuid:order_id>/cancel/", api.CancelOrder.as_view(), name="api-exchange-order-cancel"),
    path("exchange/trades/", api.Trades.as_view(), name="api-exchange-trades"),
    path("exchange/trades/<uuid:trade_id>/", api.OneTrade.as_view(), name="api-exchange-trade"),
    path("exchange/trades/<uuid:trade_id>/settle/", api.SettleTrade.as_view(), name="api-exchange-trade-settle"),
]
