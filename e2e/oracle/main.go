// What do the real implementations answer? Questions come in as lines of JSON, answers go out in the same order:
// conditions by expr-lang as analyses compile them, paths by Kubernetes' own JSONPath.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"k8s.io/client-go/util/jsonpath"
)

type question struct {
	Expression string      `json:"expression"`
	Result     interface{} `json:"result"`
	Template   string      `json:"template"`
	Document   interface{} `json:"document"`
}

type answer map[string]interface{}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		reply := evaluated(asked)
		if asked.Template != "" {
			reply = found(asked)
		}
		if err := encoder.Encode(reply); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func evaluated(asked question) answer {
	variables := map[string]interface{}{
		"result":  asked.Result,
		"asInt":   asInt,
		"asFloat": asFloat,
		"isNaN":   math.IsNaN,
		"isInf":   func(number float64) bool { return math.IsInf(number, 0) },
		"isNil":   isNil,
		"default": func(value, otherwise interface{}) interface{} {
			if isNil(value) {
				return otherwise
			}
			return value
		},
	}
	program, err := expr.Compile(asked.Expression, expr.Env(variables))
	if err != nil {
		return answer{"error": message(err)}
	}
	value, err := expr.Run(program, variables)
	if err != nil {
		return answer{"error": message(err)}
	}
	return answer{"type": fmt.Sprintf("%T", value), "value": fmt.Sprintf("%v", value)}
}

func message(err error) string {
	var placed *file.Error
	if errors.As(err, &placed) {
		return fmt.Sprintf("%s (%d:%d)", placed.Message, placed.Line, placed.Column+1)
	}
	return err.Error()
}

func asInt(value interface{}) int64 {
	switch number := value.(type) {
	case float64:
		return int64(number)
	case int64:
		return number
	case int:
		return int64(number)
	case string:
		parsed, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic(err)
		}
		return parsed
	}
	panic(fmt.Sprintf("asInt() not supported on %v %v", reflect.TypeOf(value), value))
}

func asFloat(value interface{}) float64 {
	switch number := value.(type) {
	case float64:
		return number
	case int64:
		return float64(number)
	case int:
		return float64(number)
	case string:
		parsed, err := strconv.ParseFloat(number, 64)
		if err != nil {
			panic(err)
		}
		return parsed
	}
	panic(fmt.Sprintf("asFloat() not supported on %v %v", reflect.TypeOf(value), value))
}

func isNil(value interface{}) bool {
	if value == nil {
		return true
	}
	switch reflect.TypeOf(value).Kind() {
	case reflect.Slice, reflect.Map, reflect.Ptr:
		return reflect.ValueOf(value).IsNil()
	}
	return false
}

func found(asked question) answer {
	path := jsonpath.New("oracle")
	if err := path.Parse(asked.Template); err != nil {
		return answer{"error": err.Error()}
	}
	var text bytes.Buffer
	if err := path.Execute(&text, asked.Document); err != nil {
		return answer{"error": err.Error()}
	}
	return answer{"rendered": text.String()}
}
