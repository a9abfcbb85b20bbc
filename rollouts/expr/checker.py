"""Can an expression work at all? Its types are checked before it runs, as far as they are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollouts.expr import nodes, patterns
from rollouts.expr.errors import ExpressionError, Failure
from rollouts.expr.kinds import (
    BOOL,
    INT,
    LIST,
    MAP,
    NIL,
    UNKNOWN,
    Kind,
    kind_of,
    list_of,
)
from rollouts.expr.nodes import Node
from rollouts.expr.rules import AFTER_PREDICATE, ASKS_FOR_BOOL, RESULTS
from rollouts.expr.signatures import BUILTINS, OVERLOADS, VERDICTS, Overload
from rollouts.expr.times import METHODS
from rollouts.expr.values import Function

ENVIRONMENT = "$env"


def check(source: str, tree: Node, names: Mapping[str, Kind]) -> Kind:
    """Return the type of an expression, given the types of the environment. Raises ExpressionError."""
    return _Checker(source, names).visit(tree)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What `#` means inside a predicate."""

    collection: Kind
    pointers: Mapping[str, Kind] = field(default_factory=dict)


class _Checker:
    def __init__(self, source: str, names: Mapping[str, Kind]) -> None:
        self._source = source
        self._names = names
        self._scopes: list[_Scope] = []
        self._variables: dict[str, Kind] = {}

    def visit(self, node: Node) -> Kind:
        visitor = getattr(self, f"_{type(node).__name__.lower()}")
        kind: Kind = visitor(node)
        return kind

    def _error(self, node: Node, message: str) -> ExpressionError:
        return ExpressionError(message, self._source, node.at)

    # Operands.

    def _literal(self, node: nodes.Literal) -> Kind:
        return kind_of(node.value)

    def _identifier(self, node: nodes.Identifier) -> Kind:
        if node.name in self._variables:
            return self._variables[node.name]
        return UNKNOWN if node.name == ENVIRONMENT else self._name(node, node.name)

    def _name(self, node: Node, name: str, *, is_optional: bool = False) -> Kind:
        if name in self._names:
            return self._names[name]
        if is_optional:
            return UNKNOWN
        raise self._error(node, f"unknown name {name}")

    def _pointer(self, node: nodes.Pointer) -> Kind:
        if not self._scopes:
            raise self._error(node, "cannot use pointer accessor outside predicate")
        scope = self._scopes[-1]
        if not node.name:
            return UNKNOWN if scope.collection.is_unknown else scope.collection.elements
        if node.name in scope.pointers:
            return scope.pointers[node.name]
        raise self._error(node, f"unknown pointer #{node.name}")

    def _array(self, node: nodes.Array) -> Kind:
        kinds = [self.visit(each) for each in node.nodes]
        is_uniform = all(_go_kind(each) == _go_kind(kinds[0]) for each in kinds)
        return list_of(kinds[-1]) if kinds and is_uniform else LIST

    def _map(self, node: nodes.Map) -> Kind:
        for key, value in node.pairs:
            self.visit(key)
            self.visit(value)
        return MAP

    # Operators.

    def _unary(self, node: nodes.Unary) -> Kind:
        kind = self.visit(node.operand)
        if node.operator in ("not", "!"):
            if kind.name == "bool" or kind.is_unknown:
                return BOOL
        elif kind.is_number or kind.is_unknown:
            return kind if kind.is_number else UNKNOWN
        raise self._error(node, f"invalid operation: {node.operator} (mismatched type {kind})")

    def _binary(self, node: nodes.Binary) -> Kind:
        left, right = self.visit(node.left), self.visit(node.right)
        if node.operator == "matches" and isinstance(node.right, nodes.Literal) and isinstance(node.right.value, str):
            try:
                patterns.compiled(node.right.value)
            except Failure as error:
                raise self._error(node, str(error)) from None
        if node.operator == "in":
            return self._membership(node, left, right)
        kind = RESULTS[node.operator](left, right)
        if kind is None:
            raise self._error(node, f"invalid operation: {node.operator} (mismatched types {left} and {right})")
        return kind

    def _membership(self, node: nodes.Binary, left: Kind, right: Kind) -> Kind:
        if right.is_map:
            if not left.is_unknown and not left.is_assignable_to(right.keys) and not right.keys.is_unknown:
                raise self._error(node, f"cannot use {left} as type {right.keys} in map key")
            return BOOL
        if right.is_list:
            if not left.is_comparable_to(right.elements):
                raise self._error(node, f"cannot use {left} as type {right.elements} in array")
            return BOOL
        if right.is_unknown or (left.is_unknown and right.name == "string"):
            return BOOL
        raise self._error(node, f"invalid operation: in (mismatched types {left} and {right})")

    def _conditional(self, node: nodes.Conditional) -> Kind:
        condition = self.visit(node.condition)
        if condition.name != "bool" and not condition.is_unknown:
            raise self._error(node.condition, f"non-bool expression (type {condition}) used as condition")
        yes, no = self.visit(node.yes), self.visit(node.no)
        if yes.is_nil or no.is_nil:
            return no if yes.is_nil else yes
        if not yes.is_assignable_to(no):
            return UNKNOWN
        is_mixed = yes.is_list and yes.elements != no.elements
        return LIST if is_mixed else yes

    # Members.

    def _chain(self, node: nodes.Chain) -> Kind:
        return self.visit(node.node)

    def _member(self, node: nodes.Member) -> Kind:
        name = node.key.value if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str) else None
        if isinstance(node.node, nodes.Identifier) and node.node.name == ENVIRONMENT:
            return UNKNOWN if name is None else self._name(node, name, is_optional=node.is_optional)
        base, key = self.visit(node.node), self.visit(node.key)
        if base.is_unknown:
            return UNKNOWN
        if base.is_nil and name is not None:
            raise self._error(node, f"type nil has no field {name}")
        if base.is_map:
            if not key.is_assignable_to(base.keys) and not key.is_unknown and not base.keys.is_unknown:
                raise self._error(node.key, f"cannot use {key} to get an element from {base}")
            return base.elements
        if base.is_list:
            if not key.is_integer and not key.is_unknown:
                raise self._error(node.key, f"array elements can only be selected using an integer (got {key})")
            return base.elements
        method = METHODS.get(base.name, {}).get(name or "")
        if method is not None:
            signature = Function(name or "", method.takes, method.returns, method.call)
            return Kind(f"func({', '.join(method.takes)}) {method.returns}", function=signature)
        if name is not None:
            what = "method" if node.is_call else "field"
            raise self._error(node, f"type {base} has no {what} {name}")
        raise self._error(node, f"type {base}[{key}] is undefined")

    def _slice(self, node: nodes.Slice) -> Kind:
        kind = self.visit(node.node)
        if kind.is_unknown:
            return UNKNOWN
        if not kind.is_list and kind.name != "string":
            raise self._error(node, f"cannot slice {kind}")
        for end in (node.start, node.stop):
            bound = self.visit(end) if end is not None else INT
            if end is not None and not bound.is_integer and not bound.is_unknown:
                raise self._error(end, f"non-integer slice index {bound}")
        return kind

    # Calls.

    def _call(self, node: nodes.Call) -> Kind:
        if isinstance(node.callee, nodes.Identifier) and node.callee.name == ENVIRONMENT:
            raise self._error(node, "map[string]interface {} is not callable")
        callee = self.visit(node.callee)
        if callee.is_unknown:
            return UNKNOWN
        function = callee.function
        if callee.is_nil:
            name = node.callee.name if isinstance(node.callee, nodes.Identifier) else "function"
            raise self._error(node, f"{name} is nil; cannot call nil as function")
        if function is None:
            raise self._error(node, f"{callee} is not callable")
        return self._arguments(node, function.name, Overload(function.parameters, function.result))

    def _arguments(self, node: nodes.Call | nodes.Builtin, name: str, overload: Overload) -> Kind:
        if len(node.arguments) != len(overload.takes):
            for argument in node.arguments:
                self.visit(argument)
            how = "too many" if len(node.arguments) > len(overload.takes) else "not enough"
            raise self._error(node, f"{how} arguments to call {name}")
        for argument, wanted in zip(node.arguments, overload.takes, strict=True):
            self._argument(argument, self.visit(argument), Kind(wanted), name)
        return UNKNOWN if overload.returns == "interface {}" else Kind(overload.returns)

    def _argument(self, node: Node, given: Kind, wanted: Kind, name: str) -> None:
        if given.is_integer and wanted.is_number:
            return
        if given.is_nil:
            if wanted.name != "interface {}":
                raise self._error(node, f"cannot use nil as argument (type {wanted}) to call {name}")
        elif not given.is_unknown and not given.is_assignable_to(wanted):
            raise self._error(node, f"cannot use {given} as argument (type {wanted}) to call {name} ")

    def _builtin(self, node: nodes.Builtin) -> Kind:
        if node.name in AFTER_PREDICATE:
            return self._with_predicate(node)
        if node.name == "get":
            return self._get(node)
        if node.name in VERDICTS:
            kinds = [self.visit(argument) for argument in node.arguments]
            try:
                return VERDICTS[node.name](kinds)
            except Failure as error:
                raise self._error(node, str(error)) from None
        last: ExpressionError | None = None
        for overload in OVERLOADS[node.name]:
            try:
                return self._arguments(node, node.name, overload)
            except ExpressionError as error:
                last = error
        raise last or AssertionError("every function has a way to call it")

    def _get(self, node: nodes.Builtin) -> Kind:
        if len(node.arguments) != 2:
            raise self._error(node, f"invalid number of arguments (expected 2, got {len(node.arguments)})")
        first, second = node.arguments
        base, key = self.visit(first), self.visit(second)
        if base.is_unknown:
            return UNKNOWN
        if base.is_list:
            if not key.is_integer and not key.is_unknown:
                raise self._error(second, f"non-integer slice index {key}")
            return base.elements
        if base.is_map:
            if not key.is_assignable_to(base.keys) and not key.is_unknown and not base.keys.is_unknown:
                raise self._error(second, f"cannot use {key} to get an element from {base}")
            return base.elements
        raise self._error(first, f"type {base} does not support indexing")

    def _with_predicate(self, node: nodes.Builtin) -> Kind:
        collection = self.visit(node.arguments[0])
        if not collection.is_list and not collection.is_unknown:
            raise self._error(node.arguments[0], f"builtin {node.name} takes only array (got {collection})")
        answer = NIL
        if len(node.arguments) > 1:
            pointers = {"map": {"index": INT}, "reduce": {"index": INT, "acc": UNKNOWN}}.get(node.name, {})
            self._scopes.append(_Scope(collection, pointers))
            answer = self.visit(node.arguments[1])
            self._scopes.pop()
            if node.name in ASKS_FOR_BOOL and answer.name != "bool" and not answer.is_unknown:
                if answer.is_nil:
                    raise self._error(node.arguments[1], "predicate should has one input and one output param")
                raise self._error(node.arguments[1], f"predicate should return boolean (got {answer})")
        if len(node.arguments) > 2:
            last = self.visit(node.arguments[2])
            if node.name == "sortBy" and last.name != "string" and not last.is_unknown:
                raise self._error(node.arguments[2], f"sortBy order argument must be a string (got {last})")
        return AFTER_PREDICATE[node.name](collection, answer, len(node.arguments) > 1)

    def _predicate(self, node: nodes.Predicate) -> Kind:
        return self.visit(node.node)

    # Names.

    def _let(self, node: nodes.Let) -> Kind:
        if node.name in self._names:
            raise self._error(node, f"cannot redeclare {node.name}")
        if node.name in BUILTINS:
            raise self._error(node, f"cannot redeclare builtin {node.name}")
        if node.name in self._variables:
            raise self._error(node, f"cannot redeclare variable {node.name}")
        value = self.visit(node.value)
        self._variables[node.name] = value
        try:
            return self.visit(node.body)
        finally:
            del self._variables[node.name]

    def _sequence(self, node: nodes.Sequence) -> Kind:
        return [self.visit(each) for each in node.nodes][-1]


def _go_kind(kind: Kind) -> str:
    """Return what Go's reflection tells kinds apart by: all lists are one, all maps another."""
    return kind.group if kind.is_list or kind.is_map else kind.name
