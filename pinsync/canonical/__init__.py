"""The canonical text of customizations: each customization has exactly one.

`text` writes and reads that text. `normalize` makes plain data canonical; `moments` and `pins` read
its date-times and pins. `answer`, `completeness` and `rows` read an export of the API.
"""

from pinsync.canonical.text import (
    build,
    build_pin_sort_key,
    build_sort_key,
    quote,
    read,
    read_rendered,
    read_value,
    render,
    render_fields,
    render_value,
)

__all__ = [
    "build",
    "build_pin_sort_key",
    "build_sort_key",
    "quote",
    "read",
    "read_rendered",
    "read_value",
    "render",
    "render_fields",
    "render_value",
]
