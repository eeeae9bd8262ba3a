"""The wallet's ports: the payment rail and the sanctions screening, over HTTP or simulated, chosen by the settings."""
