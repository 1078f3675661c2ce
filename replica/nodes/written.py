"""How opaque functions are printed: templates with the arguments put in, in brackets where a power follows."""

from __future__ import annotations

from typing import Any, ClassVar

import sympy as sp


class Written(sp.Function):
    """A real function that is kept whole.

    Subclasses give `form`, LaTeX with one %s for each of what `_parts` prints (the arguments), and `plain`, the same as text, where that
    is not the name of the class with its arguments.  `tight`: a power may follow without brackets.
    """

    is_real = True
    form: ClassVar[str]
    plain: ClassVar[str | None] = None
    tight: ClassVar[bool] = False

    def _parts(self, printer: Any) -> tuple[str, ...]:
        return tuple(printer._print(a) for a in self.args)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        text = self.form % self._parts(printer)
        return text if exp is None else rf"{text}^{{{exp}}}" if self.tight else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer: Any) -> str:
        parts = self._parts(printer)
        return f"{type(self).__name__}({', '.join(parts)})" if self.plain is None else self.plain % parts
