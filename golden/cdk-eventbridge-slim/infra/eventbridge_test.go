package main

import (
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestExistingEventBus(t *testing.T) {
	template := synthesize(t, map[string]any{"existingEventBusName": "team/events"})
	for _, kind := range []string{"EventBus", "Archive"} {
		template.ResourceCountIs(jsii.String("AWS::Events::"+kind), jsii.Number(0))
	}
	template.HasResourceProperties(jsii.String("AWS::Events::Rule"), map[string]string{"EventBusName": "team/events"})
	template.HasResourceProperties(jsii.String("AWS::Lambda::Function"), map[string]any{
		"Environment": map[string]any{"Variables": map[string]string{"EVENT_BUS_NAME": "team/events"}},
	})
	template.HasOutput(jsii.String("EventBusName"), map[string]string{"Value": "team/events"})
}
