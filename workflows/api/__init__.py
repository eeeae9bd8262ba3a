"""The REST door: translates requests into one operation or query each, and answers into JSON.

Domains build their own doors from `views`, `reading`, `headers`, `starting`, `answers` and `pages`. Errors are raised
as they are; `finaegis.api_errors` alone turns them into HTTP.
"""
