"""What is the value of an expression? The tree is walked, each step within a budget."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from rollouts.expr import lists, nodes, numbers, operators, patterns, texts, times
from rollouts.expr.budget import Budget
from rollouts.expr.checker import ENVIRONMENT
from rollouts.expr.errors import ExpressionError, Failure
from rollouts.expr.nodes import Node
from rollouts.expr.values import Function, Groups, Int64, Location, Moment, go_type

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **numbers.FUNCTIONS,
    **texts.FUNCTIONS,
    **lists.FUNCTIONS,
    **times.FUNCTIONS,
}


def run(source: str, tree: Node, environment: Mapping[str, Any], now: datetime, budget: Budget) -> Any:
    """Return the value of a checked expression. Raises ExpressionError."""
    value = _Evaluator(source, environment, now, budget).visit(tree)
    budget.look_at(value)  # whoever asked will print it
    return value


class _NilInChain(Exception):  # noqa: N818 - a jump to the end of a chain
    """What stands before `?.` is nil."""


class _Scope:
    """The collection that a predicate goes over, and where it is."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.index = 0
        self.accumulated: Any = None

    @property
    def item(self) -> Any:
        return self.items[self.index]


class _Evaluator:
    def __init__(self, source: str, environment: Mapping[str, Any], now: datetime, budget: Budget) -> None:
        self._source = source
        self._environment = environment
        self._now = now
        self._budget = budget
        self._variables: dict[str, Any] = {}
        self._scopes: list[_Scope] = []

    def visit(self, node: Node) -> Any:
        self._budget.step()
        visitor = _VISITORS[type(node)]
        try:
            return visitor(self, node)
        except Failure as error:
            raise ExpressionError(str(error), self._source, node.at) from None

    # Operands.

    def literal(self, node: nodes.Literal) -> Any:
        return node.value

    def identifier(self, node: nodes.Identifier) -> Any:
        if node.name in self._variables:
            return self._variables[node.name]
        return self._environment if node.name == ENVIRONMENT else self._environment[node.name]

    def pointer(self, node: nodes.Pointer) -> Any:
        scope = self._scopes[-1]
        if node.name == "index":
            return scope.index
        return scope.accumulated if node.name == "acc" else scope.item

    def array(self, node: nodes.Array) -> list[Any]:
        self._budget.elements(len(node.nodes))
        return [self.visit(each) for each in node.nodes]

    def map(self, node: nodes.Map) -> dict[str, Any]:
        self._budget.elements(len(node.pairs))
        made = {}
        for key_node, value_node in node.pairs:
            key, value = self.visit(key_node), self.visit(value_node)
            if not isinstance(key, str):
                raise Failure(f"interface conversion: interface {{}} is {go_type(key)}, not string")
            made[key] = value
        return made

    # Operators.

    def unary(self, node: nodes.Unary) -> Any:
        value = self.visit(node.operand)
        if node.operator in ("not", "!"):
            return not _bool(value)
        return operators.negate(value) if node.operator == "-" else value

    def binary(self, node: nodes.Binary) -> Any:
        if node.operator in ("and", "&&"):
            return _bool(self.visit(node.left)) and _bool(self.visit(node.right))
        if node.operator in ("or", "||"):
            return _bool(self.visit(node.left)) or _bool(self.visit(node.right))
        if node.operator == "??":
            left = self.visit(node.left)
            return self.visit(node.right) if left is None else left
        left, right = self.visit(node.left), self.visit(node.right)
        if node.operator == "..":
            self._budget.elements(max(0, operators.as_int(right) - operators.as_int(left) + 1))
            return lists.number_range(left, right)
        if node.operator == "matches":
            return self._matches(left, right)
        self._budget.look_at(left, right)
        value = operators.OPERATORS[node.operator](left, right)
        if isinstance(value, str):
            self._budget.characters(len(value))
        return value

    def _matches(self, left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if not isinstance(left, bytes):
            texts.text(left)
        self._budget.look_at(left)
        return patterns.matches(left, texts.text(right))

    def conditional(self, node: nodes.Conditional) -> Any:
        return self.visit(node.yes if _bool(self.visit(node.condition)) else node.no)

    # Members.

    def chain(self, node: nodes.Chain) -> Any:
        try:
            return self.visit(node.node)
        except _NilInChain:
            return None

    def member(self, node: nodes.Member) -> Any:
        base = self.visit(node.node)
        if base is None and node.is_optional:
            raise _NilInChain
        key = self.visit(node.key)
        if isinstance(key, str) and go_type(base) in times.METHODS:
            return Function(key, (), "", _bound(times.method_of(base, key), base))
        return operators.fetch(base, key)

    def slice(self, node: nodes.Slice) -> Any:
        source = self.visit(node.node)
        stop = None if node.stop is None else self.visit(node.stop)
        start = 0 if node.start is None else self.visit(node.start)
        part = operators.sliced(source, start, stop)
        self._charge(part)
        return part

    # Calls.

    def call(self, node: nodes.Call) -> Any:
        arguments = [self.visit(each) for each in node.arguments]
        callee = self.visit(node.callee)
        if callee is None:
            raise Failure("invalid operation: cannot call nil")
        if not isinstance(callee, Function):
            raise Failure(f"invalid operation: cannot call non-function of type {go_type(callee)}")
        return callee.call(*(_given(value, kind) for value, kind in _matched(arguments, callee.parameters)))

    def builtin(self, node: nodes.Builtin) -> Any:
        if node.name in _OVER_ELEMENTS:
            return self._over(node)
        arguments = [self.visit(each) for each in node.arguments]
        if node.name == "now":
            zone = arguments[0].zone if arguments and isinstance(arguments[0], Location) else None
            return Moment(self._now.astimezone(zone) if zone is not None else self._now)
        self._budget.look_at(*arguments)
        if node.name == "uniq" and isinstance(arguments[0], list):
            self._budget.steps(len(arguments[0]) ** 2 // 2)
        value = FUNCTIONS[node.name](*arguments)
        self._charge(value)
        return value

    def _charge(self, value: Any) -> None:
        if isinstance(value, list | dict):
            self._budget.elements(len(value))
        elif isinstance(value, str):
            self._budget.characters(len(value))

    # Predicates.

    def _over(self, node: nodes.Builtin) -> Any:
        collection = self.visit(node.arguments[0])
        if not isinstance(collection, list):
            raise Failure(f"cannot go over {go_type(collection)}: {node.name} takes a list")
        predicate = node.arguments[1] if len(node.arguments) > 1 else None
        extra = node.arguments[2] if len(node.arguments) > 2 else None
        scope = _Scope(collection)
        if node.name == "reduce":
            return self._reduced(scope, predicate, extra)
        order = self.visit(extra) if extra is not None else "asc"
        value = _OVER_ELEMENTS[node.name](self, collection, self._answers(scope, predicate), order)
        self._charge(value)
        return value

    def _answers(self, scope: _Scope, predicate: Node | None) -> Iterable[Any]:
        """Yield what the predicate says of each element; without one, the elements."""
        for scope.index in range(len(scope.items)):  # noqa: B020 - the scope's place moves along
            yield self._answer(scope, predicate) if predicate is not None else scope.item

    def _answer(self, scope: _Scope, predicate: Node) -> Any:
        self._scopes.append(scope)
        try:
            return self.visit(predicate)
        finally:
            self._scopes.pop()

    def _reduced(self, scope: _Scope, predicate: Node | None, initial: Node | None) -> Any:
        if predicate is None:
            raise AssertionError("reduce has a predicate: the parser saw to it")
        first = 0
        if initial is not None:
            scope.accumulated = self.visit(initial)
        elif not scope.items:
            raise Failure("reduce of empty array with no initial value")
        else:
            scope.accumulated, first = scope.items[0], 1
        for scope.index in range(first, len(scope.items)):  # noqa: B020 - the scope's place moves along
            scope.accumulated = self._answer(scope, predicate)
        return scope.accumulated

    def predicate(self, node: nodes.Predicate) -> Any:
        return self.visit(node.node)

    # Names.

    def let(self, node: nodes.Let) -> Any:
        self._variables[node.name] = self.visit(node.value)
        try:
            return self.visit(node.body)
        finally:
            del self._variables[node.name]

    def sequence(self, node: nodes.Sequence) -> Any:
        return [self.visit(each) for each in node.nodes][-1]


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        what = "nil" if value is None else go_type(value)
        raise Failure(f"interface conversion: interface {{}} is {what}, not bool")
    return value


def _bound(method: times.Method, value: Any) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        answer = method.call(value, *arguments)
        return Int64(answer) if method.returns == "int64" else answer

    return call


def _matched(arguments: list[Any], parameters: tuple[str, ...]) -> Iterable[tuple[Any, str]]:
    return zip(arguments, parameters or ("interface {}",) * len(arguments), strict=True)


def _given(value: Any, wanted: str) -> Any:
    """Return an argument as the function takes it. Raises Failure."""
    if wanted == "interface {}":
        return value
    if wanted == "float64" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if go_type(value) != wanted:
        what = "nil" if value is None else go_type(value)
        raise Failure(f"interface conversion: interface {{}} is {what}, not {wanted}")
    return value


def _matching_index(answers: Iterable[Any]) -> int | None:
    return next((index for index, answer in enumerate(answers) if _bool(answer)), None)


def _last_matching_index(answers: Iterable[Any]) -> int | None:
    found = None
    for index, answer in enumerate(answers):
        found = index if _bool(answer) else found
    return found


def _at(collection: list[Any], index: int | None) -> Any:
    return None if index is None else collection[index]


def _one(answers: Iterable[Any]) -> bool:
    return sum(map(_bool, answers)) == 1


def _sum(answers: Iterable[Any]) -> Any:
    total: Any = 0
    for answer in answers:
        total = operators.add(total, answer)
    return total


def _grouped(collection: list[Any], answers: Iterable[Any]) -> Groups:
    groups = Groups()
    for element, answer in zip(collection, answers, strict=True):
        groups.setdefault(lists.hashable(answer), []).append(element)
    return groups


def _sorted(collection: list[Any], answers: Iterable[Any], order: Any) -> list[Any]:
    if not isinstance(order, str):
        raise Failure("sortBy order argument must be a string")
    descending = lists.is_descending(order, "unknown order, use asc or desc")
    return lists.sorted_by(list(collection), list(answers), descending=descending)


Over = Callable[[_Evaluator, list[Any], Iterable[Any], Any], Any]

_OVER_ELEMENTS: Mapping[str, Over] = {
    "all": lambda _self, _items, answers, _order: all(map(_bool, answers)),
    "none": lambda _self, _items, answers, _order: not any(map(_bool, answers)),
    "any": lambda _self, _items, answers, _order: any(map(_bool, answers)),
    "one": lambda _self, _items, answers, _order: _one(answers),
    "filter": lambda _self, items, answers, _order: [
        item for item, answer in zip(items, answers, strict=True) if _bool(answer)
    ],
    "map": lambda _self, _items, answers, _order: list(answers),
    "count": lambda _self, _items, answers, _order: sum(map(_bool, answers)),
    "sum": lambda _self, _items, answers, _order: _sum(answers),
    "find": lambda _self, items, answers, _order: _at(items, _matching_index(answers)),
    "findIndex": lambda _self, _items, answers, _order: _matching_index(answers),
    "findLast": lambda _self, items, answers, _order: _at(items, _last_matching_index(answers)),
    "findLastIndex": lambda _self, _items, answers, _order: _last_matching_index(answers),
    "groupBy": lambda _self, items, answers, _order: _grouped(items, answers),
    "sortBy": lambda _self, items, answers, order: _sorted(items, answers, order),
    "reduce": lambda *_: None,  # has a loop of its own
}

_VISITORS: Mapping[type, Callable[[_Evaluator, Any], Any]] = {
    nodes.Literal: _Evaluator.literal,
    nodes.Identifier: _Evaluator.identifier,
    nodes.Pointer: _Evaluator.pointer,
    nodes.Unary: _Evaluator.unary,
    nodes.Binary: _Evaluator.binary,
    nodes.Chain: _Evaluator.chain,
    nodes.Member: _Evaluator.member,
    nodes.Slice: _Evaluator.slice,
    nodes.Call: _Evaluator.call,
    nodes.Builtin: _Evaluator.builtin,
    nodes.Predicate: _Evaluator.predicate,
    nodes.Let: _Evaluator.let,
    nodes.Sequence: _Evaluator.sequence,
    nodes.Conditional: _Evaluator.conditional,
    nodes.Array: _Evaluator.array,
    nodes.Map: _Evaluator.map,
}
