"""How do the words of an expression belong together? Tokens become a tree (precedence climbing)."""

from collections.abc import Sequence
from dataclasses import replace

from rollouts.expr import nodes
from rollouts.expr.errors import ExpressionError
from rollouts.expr.lexer import NEGATABLE, Token, is_name, number, tokens
from rollouts.expr.nodes import Node
from rollouts.expr.signatures import BUILTINS, PREDICATES

MAX_NESTING = 60
"""How deep brackets may be nested; far beyond what anybody writes, and within Python's stack."""

MAX_NODES = 10_000

BINARY: dict[str, int] = {
    "|": 0, "or": 10, "||": 10, "and": 15, "&&": 15,
    "==": 20, "!=": 20, "<": 20, ">": 20, ">=": 20, "<=": 20,
    "in": 20, "matches": 20, "contains": 20, "startsWith": 20, "endsWith": 20,
    "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60, "**": 100, "^": 100, "??": 500,
}  # fmt: skip
UNARY: dict[str, int] = {"not": 50, "!": 50, "-": 90, "+": 90}
COMPARISONS = frozenset({"<", ">", ">=", "<="})
RIGHT_ASSOCIATIVE = frozenset({"**", "^"})
_CONSTANTS = {"true": True, "false": False, "nil": None}


def parse(source: str) -> Node:
    """Return the tree of an expression. Raises ExpressionError."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._ahead: list[Token] = []
        self._current = next(self._tokens)
        self._nesting = 0
        self._in_predicate = 0
        self._count = 0

    def parse(self) -> Node:
        node = self._sequence()
        if self._current.kind != "EOF":
            raise self._unexpected()
        return node

    # Tokens.

    def _next(self) -> Token:
        """Move on, and return the token that was current."""
        token = self._current
        if self._ahead:
            self._current = self._ahead.pop()
        elif token.kind == "EOF":
            raise ExpressionError("unexpected end of expression", self._source, token.at)
        else:
            self._current = next(self._tokens)
        self._count += 1
        if self._count > MAX_NODES:
            raise ExpressionError(
                "compilation failed: expression exceeds maximum allowed nodes", self._source, token.at
            )
        return token

    def _unexpected(self, token: Token | None = None) -> ExpressionError:
        token = token or self._current
        return ExpressionError(f"unexpected token {token}", self._source, token.at)

    def _expect(self, kind: str, value: str = "") -> Token:
        if self._current.kind != kind or (value and self._current.value != value):
            raise self._unexpected()
        return self._next()

    def _accepts(self, kind: str, value: str) -> bool:
        if self._current.kind == kind and self._current.value == value:
            self._next()
            return True
        return False

    # Expressions.

    def _sequence(self) -> Node:
        first = self._expression()
        parts = [first]
        while self._accepts("Operator", ";"):
            if self._current.kind == "EOF":
                break
            parts.append(self._expression())
        return first if len(parts) == 1 else nodes.Sequence(tuple(parts), first.at)

    def _expression(self, precedence: int = 0) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError("the expression is nested too deep", self._source, self._current.at)
        try:
            return self._whole(precedence)
        finally:
            self._nesting -= 1

    def _whole(self, precedence: int) -> Node:
        if precedence == 0 and self._current.is_operator("let"):
            return self._let()
        if precedence == 0 and self._current.is_operator("if"):
            return self._if()
        node = self._operators(self._primary(), precedence)
        return self._ternary(node) if precedence == 0 else node

    def _operators(self, left: Node, precedence: int) -> Node:
        previous = ""
        while self._current.is_operator():
            negation = self._negation(precedence)
            operator = self._current
            if operator.value not in BINARY or BINARY[operator.value] < precedence:
                break
            self._next()
            if operator.value == "|":
                left = self._call(self._expect("Identifier"), [left])
            elif previous == "??" and operator.value != "??":
                raise ExpressionError(
                    f"Operator ({operator.value}) and coalesce expressions (??) cannot be mixed."
                    " Wrap either by parentheses.",
                    self._source,
                    operator.at,
                )
            elif operator.value in COMPARISONS:
                left = self._comparison(left, operator)
            else:
                tighter = 0 if operator.value in RIGHT_ASSOCIATIVE else 1
                right = self._expression(BINARY[operator.value] + tighter)
                left = nodes.Binary(operator.value, left, right, operator.at)
                if negation:
                    left = nodes.Unary("not", left, operator.at)
            previous = operator.value
        return left

    def _negation(self, precedence: int) -> bool:
        """Step over the `not` of `not in`, if the operator behind it binds here."""
        if not self._current.is_operator("not"):
            return False
        negation = self._next()
        if self._current.value not in NEGATABLE:
            raise self._unexpected()
        if BINARY[self._current.value] >= precedence:
            return True
        self._ahead.append(self._current)
        self._current = negation
        return False

    def _comparison(self, left: Node, operator: Token) -> Node:
        """Read `1 < x < 3`, which means both."""
        whole: Node | None = None
        while True:
            right = self._expression(BINARY[operator.value] + 1)
            pair = nodes.Binary(operator.value, left, right, operator.at)
            whole = pair if whole is None else nodes.Binary("&&", whole, pair, operator.at)
            if not self._current.is_operator(*COMPARISONS):
                return whole
            left, operator = right, self._next()

    def _let(self) -> Node:
        self._next()
        name = self._expect("Identifier")
        self._expect("Operator", "=")
        value = self._expression()
        self._expect("Operator", ";")
        return nodes.Let(name.value, value, self._nested_sequence(), name.at)

    def _nested_sequence(self) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError("the expression is nested too deep", self._source, self._current.at)
        try:
            return self._sequence()
        finally:
            self._nesting -= 1

    def _if(self) -> Node:
        self._next()
        condition = self._expression()
        yes = self._block()
        self._expect("Operator", "else")
        no = self._expression() if self._current.is_operator("if") else self._block()
        return nodes.Conditional(condition, yes, no, 0)

    def _block(self) -> Node:
        self._expect("Bracket", "{")
        node = self._sequence()
        self._expect("Bracket", "}")
        return node

    def _ternary(self, node: Node) -> Node:
        while self._current.is_operator("?"):
            self._next()
            if self._accepts("Operator", ":"):
                yes = node
            else:
                yes = self._expression()
                self._expect("Operator", ":")
            node = nodes.Conditional(node, yes, self._expression(), self._current.at)
        return node

    # Operands.

    def _primary(self) -> Node:
        token = self._current
        if token.is_operator(*UNARY):
            self._next()
            return self._postfix(nodes.Unary(token.value, self._expression(UNARY[token.value]), token.at))
        if token.is_bracket("("):
            self._next()
            node = self._sequence()
            self._expect("Bracket", ")")
            return self._postfix(node)
        if self._in_predicate and token.is_operator("#", "."):
            return self._postfix(self._pointer(token))
        if token.is_operator("::"):
            self._next()
            return self._postfix(self._call(self._expect("Identifier"), []))
        return self._secondary(token)

    def _pointer(self, token: Token) -> Node:
        name = ""
        if token.value == "#":
            self._next()
            if self._current.kind == "Identifier":
                name = self._next().value
        return nodes.Pointer(name, token.at)

    def _secondary(self, token: Token) -> Node:
        node: Node
        if token.kind == "Identifier":
            self._next()
            if token.value in _CONSTANTS:
                return nodes.Literal(_CONSTANTS[token.value], token.at)
            is_call = self._current.is_bracket("(")
            node = self._call(token, []) if is_call else nodes.Identifier(token.value, token.at)
        elif token.kind == "Number":
            self._next()
            return nodes.Literal(number(self._source, token), token.at)
        elif token.kind == "String":
            node = nodes.Literal(self._next().value, token.at)
        elif token.kind == "Bytes":
            node = nodes.Literal(self._next().value.encode("latin-1"), token.at)
        elif token.is_bracket("["):
            node = self._array(token)
        elif token.is_bracket("{"):
            node = self._map(token)
        else:
            raise self._unexpected(token)
        return self._postfix(node)

    def _array(self, token: Token) -> Node:
        return nodes.Array(tuple(self._listed("[", "]")), token.at)

    def _listed(self, opening: str, closing: str) -> list[Node]:
        """Read expressions between brackets, separated by commas; one may stand after the last."""
        self._expect("Bracket", opening)
        found: list[Node] = []
        while not self._current.is_bracket(closing):
            if found:
                self._expect("Operator", ",")
                if self._current.is_bracket(closing):
                    break
            found.append(self._expression())
        self._expect("Bracket", closing)
        return found

    def _map(self, token: Token) -> Node:
        self._expect("Bracket", "{")
        pairs: list[tuple[Node, Node]] = []
        while not self._current.is_bracket("}"):
            if pairs:
                self._expect("Operator", ",")
                if self._current.is_bracket("}"):
                    break
            key = self._map_key()
            self._expect("Operator", ":")
            pairs.append((key, self._expression()))
        self._expect("Bracket", "}")
        return nodes.Map(tuple(pairs), token.at)

    def _map_key(self) -> Node:
        token = self._current
        if token.kind in ("Number", "String", "Identifier"):
            return nodes.Literal(self._next().value, token.at)
        if token.is_bracket("("):
            return self._expression()
        raise ExpressionError(
            "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses"
            f" (unexpected token {token})",
            self._source,
            token.at,
        )

    # Calls and members.

    def _call(self, name: Token, arguments: list[Node]) -> Node:
        """Read a call; `arguments` holds what a pipe has brought along."""
        if name.value in PREDICATES:
            return nodes.Builtin(name.value, tuple(self._predicate_arguments(name.value, arguments)), name.at)
        arguments = arguments + self._listed("(", ")")
        if name.value in BUILTINS:
            return nodes.Builtin(name.value, tuple(arguments), name.at)
        return nodes.Call(nodes.Identifier(name.value, name.at), tuple(arguments), name.at)

    def _predicate_arguments(self, name: str, given: Sequence[Node]) -> list[Node]:
        shape = PREDICATES[name]
        self._expect("Bracket", "(")
        arguments = list(given)
        wanted = shape.kinds[len(given) :]
        for position, kind in enumerate(wanted):
            if self._current.is_bracket(")"):
                if len(arguments) < shape.required:
                    raise ExpressionError(f"expected at least {len(wanted)} arguments", self._source, self._current.at)
                break
            if position:
                self._expect("Operator", ",")
            arguments.append(self._predicate() if kind == "predicate" else self._expression())
        self._accepts("Operator", ",")
        self._expect("Bracket", ")")
        return arguments

    def _predicate(self) -> Node:
        start = self._current
        self._in_predicate += 1
        if self._accepts("Bracket", "{"):
            node = self._nested_sequence()
            self._expect("Bracket", "}")
        else:
            node = self._expression()
            if self._current.is_operator(";"):
                raise ExpressionError("wrap predicate with brackets { and }", self._source, self._current.at)
        self._in_predicate -= 1
        return nodes.Predicate(node, start.at)

    def _postfix(self, node: Node) -> Node:
        while True:
            token = self._current
            if token.is_operator(".", "?."):
                self._next()
                if token.value == "?." and self._current.is_bracket("["):
                    node = self._index(node, is_optional=True)
                else:
                    node = self._named(node, is_optional=token.value == "?.")
            elif token.is_bracket("["):
                node = self._index(node, is_optional=False)
            else:
                return node

    def _named(self, node: Node, *, is_optional: bool) -> Node:
        token = self._current
        is_good = token.kind == "Identifier" or (token.kind == "Operator" and is_name(token.value))
        if token.kind == "EOF":
            raise ExpressionError("unexpected end of expression", self._source, token.at)
        self._next()
        if not is_good:
            raise ExpressionError("expected name", self._source, self._current.at)
        is_chain = isinstance(node, nodes.Chain)
        inner = node.node if isinstance(node, nodes.Chain) else node
        member = nodes.Member(inner, nodes.Literal(token.value, token.at), is_optional, token.at)
        whole: Node = member
        if self._current.is_bracket("("):
            whole = nodes.Call(replace(member, is_call=True), tuple(self._listed("(", ")")), token.at)
        return nodes.Chain(whole, token.at) if is_chain or is_optional else whole

    def _index(self, node: Node, *, is_optional: bool) -> Node:
        bracket = self._expect("Bracket", "[")
        start = None if self._current.is_operator(":") else self._expression()
        if self._accepts("Operator", ":"):
            stop = None if self._current.is_bracket("]") else self._expression()
            self._expect("Bracket", "]")
            return nodes.Slice(node, start, stop, bracket.at)
        self._expect("Bracket", "]")
        if start is None:
            raise AssertionError("without a colon there is an index")
        member = nodes.Member(node, start, is_optional, bracket.at)
        return nodes.Chain(member, bracket.at) if is_optional else member
