"""The treasury's ports: document verification and sanctions screening, over HTTP or simulated, as the settings say."""
