"""The one idea: every customization has exactly one canonical text.

`text` writes and reads that text. `normalize` makes plain data canonical; `moments` and `pins` know
its date-times and pins. `answer`, `completeness` and `rows` read an export of the API.
"""

from pinsync.canonical.text import (
    build,
    order,
    pin_order,
    quoted,
    read,
    read_value,
    render,
    render_fields,
    value_text,
)

__all__ = ["build", "order", "pin_order", "quoted", "read", "read_value", "render", "render_fields", "value_text"]
