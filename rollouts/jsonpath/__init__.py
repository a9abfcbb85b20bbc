"""What does a JSONPath template of Kubernetes mean, in a web metric, a printer column, or after `-o jsonpath`?"""

from rollouts.jsonpath.errors import JSONPathError, JSONPathLimitError
from rollouts.jsonpath.template import Template, compile_template, find_first, relaxed_template

__all__ = ["JSONPathError", "JSONPathLimitError", "Template", "compile_template", "find_first", "relaxed_template"]
