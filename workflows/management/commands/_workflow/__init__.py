"""Parts of `manage.py workflow`: arguments, acts, readings, and how both are shown. No command of its own."""
