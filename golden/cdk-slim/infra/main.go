// Command infra makes the CloudFormation template of this project's stack. The CDK CLI runs it; make synth does without the CLI.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// code is the folder that make build fills.
const code = "../dist/token-customizer"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if err := checkNode(ctx); err != nil {
		return err
	}
	defer jsii.Close()
	app, err := newApp(nil) // the CLI says where to
	if err != nil {
		return err
	}
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	chosen, err := readSettings(values)
	if err := errors.Join(err, checkCode(code)); err != nil {
		return err
	}
	newStack(app, chosen, code)
	app.Synth(nil)
	return nil
}

//go:embed cdk.json
var cdkJSON []byte

// newApp returns an app with the context of cdk.json, its feature flags above all. The CLI hands it over too, and where there is no CLI
// nobody does. What it synthesizes goes into the folder.
func newApp(folder *string) (awscdk.App, error) {
	var file struct {
		Context map[string]any `json:"context"`
	}
	if err := json.Unmarshal(cdkJSON, &file); err != nil {
		return nil, fmt.Errorf("cdk.json: %w", err)
	}
	return awscdk.NewApp(&awscdk.AppProps{Context: &file.Context, Outdir: folder, AnalyticsReporting: jsii.Bool(false)}), nil
}
