// What does a controller tell its plugins? This one is a plugin of each kind: it writes down every call with all that it
// was handed, a line of JSON each, into the file that its only argument names. What it answers stands in its own part of
// the spec, so that it can be slow, wrong or dead as a test wants it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	goPlugin "github.com/hashicorp/go-plugin"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	metric "github.com/argoproj/argo-rollouts/metricproviders/plugin/rpc"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	step "github.com/argoproj/argo-rollouts/rollout/steps/plugin/rpc"
	traffic "github.com/argoproj/argo-rollouts/rollout/trafficrouting/plugin/rpc"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

const cookie = "ARGO_ROLLOUTS_RPC_PLUGIN"

// What is asked of us in our part of the spec.
type wish struct {
	Phase    string            `json:"phase"`
	Value    string            `json:"value"`
	Message  string            `json:"message"`
	Metadata map[string]string `json:"metadata"`
	Status   json.RawMessage   `json:"status"`
	Error    string            `json:"error"`
	Seconds  int               `json:"seconds"`
	Die      bool              `json:"die"`
	Hang     bool              `json:"hang"`
	Times    int               `json:"times"`
	Verify   string            `json:"verify"`
}

type recorder struct {
	path string
	lock sync.Mutex
}

func (r *recorder) write(method string, told map[string]any) {
	r.lock.Lock()
	defer r.lock.Unlock()
	told["method"] = method
	line, err := json.Marshal(told)
	if err != nil {
		line = []byte(fmt.Sprintf("{\"method\": %q, \"problem\": %q}", method, err))
	}
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	file.Write(append(line, '\n'))
}

func (r *recorder) InitPlugin() types.RpcError {
	r.write("InitPlugin", map[string]any{"pid": os.Getpid()})
	fmt.Println("the recorder begins")
	return types.RpcError{}
}

func (r *recorder) Type() string { return "Recorder" }

func read(raw json.RawMessage) wish {
	var found wish
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &found); err != nil {
			panic(err)
		}
	}
	if found.Die {
		os.Exit(3)
	}
	if found.Hang {
		time.Sleep(time.Hour)
	}
	return found
}

func only(plugins map[string]json.RawMessage) json.RawMessage {
	for _, raw := range plugins {
		return raw
	}
	return nil
}

// The kinds share method names, so each has a type of its own.
type metrics struct{ *recorder }

func (m metrics) answer(metric v1alpha1.Metric, before v1alpha1.Measurement, counts bool) v1alpha1.Measurement {
	asked := read(only(metric.Provider.Plugin))
	now := metav1.Now()
	if before.StartedAt == nil {
		before.StartedAt = &now
	}
	before.Phase, before.Value, before.Message = v1alpha1.AnalysisPhase(asked.Phase), asked.Value, asked.Message
	before.Metadata = asked.Metadata
	if counts && asked.Seconds > 0 {
		resume := metav1.NewTime(now.Add(time.Duration(asked.Seconds) * time.Second))
		before.Phase, before.ResumeAt = v1alpha1.AnalysisPhaseRunning, &resume
		return before
	}
	before.ResumeAt, before.FinishedAt = nil, &now
	return before
}

func (m metrics) Run(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric) v1alpha1.Measurement {
	m.write("Run", map[string]any{"run": run, "metric": metric})
	return m.answer(metric, v1alpha1.Measurement{}, true)
}

func (m metrics) Resume(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, before v1alpha1.Measurement) v1alpha1.Measurement {
	m.write("Resume", map[string]any{"run": run, "metric": metric, "measurement": before})
	return m.answer(metric, before, false)
}

func (m metrics) Terminate(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, before v1alpha1.Measurement) v1alpha1.Measurement {
	m.write("Terminate", map[string]any{"run": run, "metric": metric, "measurement": before})
	return m.answer(metric, before, false)
}

func (m metrics) GarbageCollect(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, limit int) types.RpcError {
	m.write("GarbageCollect", map[string]any{"run": run, "metric": metric, "limit": limit})
	return types.RpcError{}
}

func (m metrics) GetMetadata(metric v1alpha1.Metric) map[string]string {
	return map[string]string{"from": "the recorder"}
}

type steps struct{ *recorder }

func (s steps) answer(method string, rollout *v1alpha1.Rollout, context *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	s.write(method, map[string]any{"rollout": rollout, "context": context})
	asked := read(context.Config)
	var before struct{ Calls int }
	if len(context.Status) > 0 {
		if err := json.Unmarshal(context.Status, &before); err != nil {
			panic(err)
		}
	}
	status, _ := json.Marshal(map[string]int{"calls": before.Calls + 1})
	result := types.RpcStepResult{
		Phase:        types.StepPhase(asked.Phase),
		Message:      asked.Message,
		RequeueAfter: time.Duration(asked.Seconds) * time.Second,
		Status:       status,
	}
	if method == "Run" && before.Calls < asked.Times {
		result.Phase = types.PhaseRunning
	}
	return result, types.RpcError{ErrorString: asked.Error}
}

func (s steps) Run(rollout *v1alpha1.Rollout, context *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	return s.answer("Run", rollout, context)
}

func (s steps) Terminate(rollout *v1alpha1.Rollout, context *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	return s.answer("Terminate", rollout, context)
}

func (s steps) Abort(rollout *v1alpha1.Rollout, context *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	return s.answer("Abort", rollout, context)
}

type routes struct{ *recorder }

func (r routes) told(method string, rollout *v1alpha1.Rollout, said map[string]any) types.RpcError {
	said["rollout"] = rollout
	r.write(method, said)
	return types.RpcError{ErrorString: r.asked(rollout).Error}
}

func (r routes) asked(rollout *v1alpha1.Rollout) wish {
	return read(only(rollout.Spec.Strategy.Canary.TrafficRouting.Plugins))
}

func (r routes) UpdateHash(rollout *v1alpha1.Rollout, canary, stable string, others []v1alpha1.WeightDestination) types.RpcError {
	return r.told("UpdateHash", rollout, map[string]any{"canary": canary, "stable": stable, "others": others})
}

func (r routes) SetWeight(rollout *v1alpha1.Rollout, weight int32, others []v1alpha1.WeightDestination) types.RpcError {
	return r.told("SetWeight", rollout, map[string]any{"weight": weight, "others": others})
}

func (r routes) SetHeaderRoute(rollout *v1alpha1.Rollout, route *v1alpha1.SetHeaderRoute) types.RpcError {
	return r.told("SetHeaderRoute", rollout, map[string]any{"route": route})
}

func (r routes) SetMirrorRoute(rollout *v1alpha1.Rollout, route *v1alpha1.SetMirrorRoute) types.RpcError {
	return r.told("SetMirrorRoute", rollout, map[string]any{"route": route})
}

func (r routes) VerifyWeight(rollout *v1alpha1.Rollout, weight int32, others []v1alpha1.WeightDestination) (types.RpcVerified, types.RpcError) {
	r.write("VerifyWeight", map[string]any{"weight": weight, "others": others, "rollout": rollout})
	switch r.asked(rollout).Verify {
	case "yes":
		return types.Verified, types.RpcError{}
	case "no":
		return types.NotVerified, types.RpcError{}
	}
	return types.NotImplemented, types.RpcError{}
}

func (r routes) RemoveManagedRoutes(rollout *v1alpha1.Rollout) types.RpcError {
	return r.told("RemoveManagedRoutes", rollout, map[string]any{})
}

func main() {
	path := ""
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	shared := &recorder{path: path}
	kind := os.Getenv(cookie)
	goPlugin.Serve(&goPlugin.ServeConfig{
		HandshakeConfig: goPlugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookie, MagicCookieValue: kind},
		Plugins: map[string]goPlugin.Plugin{
			"RpcMetricProviderPlugin": &metric.RpcMetricProviderPlugin{Impl: metrics{shared}},
			"RpcStepPlugin":           &step.RpcStepPlugin{Impl: steps{shared}},
			"RpcTrafficRouterPlugin":  &traffic.RpcTrafficRouterPlugin{Impl: routes{shared}},
		},
	})
}
