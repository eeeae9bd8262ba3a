"""How dates and times are shown: sortable, and a time always with its zone."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = r"Y-m-d H:i:s \U\T\C"
