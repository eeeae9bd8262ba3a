"""The pure engine: no Django, no I/O, no clock. History in, commands out."""
