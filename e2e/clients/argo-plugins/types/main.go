// How do the objects that Argo's plugins are handed look in Go? One line a struct, for those who have no Go:
// `Name: GoField json type, ...`. The JSON name of an embedded struct whose fields stand beside the others' is `.`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

// Types whose JSON isn't what their fields would say.
var notations = map[reflect.Type]string{
	reflect.TypeOf(metav1.Time{}):        "time",
	reflect.TypeOf(metav1.MicroTime{}):   "time",
	reflect.TypeOf(metav1.Duration{}):    "duration",
	reflect.TypeOf(metav1.FieldsV1{}):    "fields",
	reflect.TypeOf(resource.Quantity{}):  "quantity",
	reflect.TypeOf(intstr.IntOrString{}): "intstr",
	reflect.TypeOf(json.RawMessage{}):    "json",
}

var marshaler = reflect.TypeOf((*json.Marshaler)(nil)).Elem()

type catalogue struct {
	names map[reflect.Type]string
	lines map[string]string
}

func (c *catalogue) notation(t reflect.Type) string {
	if known, ok := notations[t]; ok {
		return known
	}
	switch t.Kind() {
	case reflect.Pointer:
		return c.notation(t.Elem())
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "uint"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.String:
		return "string"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[" + c.notation(t.Elem()) + "]"
	case reflect.Map:
		return "{" + c.notation(t.Elem()) + "}"
	case reflect.Struct:
		return c.structure(t)
	}
	return ""
}

func (c *catalogue) structure(t reflect.Type) string {
	if name, ok := c.names[t]; ok {
		return name
	}
	name := t.Name()
	if _, taken := c.lines[name]; taken {
		parts := strings.Split(t.PkgPath(), "/")
		name = parts[len(parts)-2] + "." + name
	}
	c.names[t] = name
	c.lines[name] = ""
	if reflect.PointerTo(t).Implements(marshaler) {
		fmt.Fprintln(os.Stderr, "marshals itself:", t)
	}
	fields := []string{}
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		kind := c.notation(field.Type)
		if !field.IsExported() || tag == "-" || kind == "" {
			continue
		}
		if tag == "" {
			tag = field.Name
			if field.Anonymous {
				tag = "."
			}
		}
		fields = append(fields, field.Name+" "+tag+" "+kind)
	}
	c.lines[name] = strings.Join(fields, ", ")
	return name
}

func main() {
	known := &catalogue{map[reflect.Type]string{}, map[string]string{}}
	for _, root := range []any{
		v1alpha1.Rollout{}, v1alpha1.AnalysisRun{}, v1alpha1.Measurement{}, v1alpha1.WeightDestination{},
		types.RpcStepContext{},
	} {
		known.structure(reflect.TypeOf(root))
	}
	names := make([]string, 0, len(known.lines))
	for name := range known.lines {
		names = append(names, name)
	}
	sort.Strings(names)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, name := range names {
		fmt.Fprintf(out, "%s: %s\n", name, known.lines[name])
	}
}
