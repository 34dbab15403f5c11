// Command infra makes the CloudFormation template of this project's stack. The CDK's command line runs it, and make synth does without.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// dist is the folder that make build fills. Each function has a folder in it.
const dist = "../dist"

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
	app, err := newApp(nil) // the command line says where to
	if err != nil {
		return err
	}
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	chosen, err := readSettings(values)
	for _, function := range functions {
		folder := filepath.Join(dist, function)
		err = errors.Join(err, checkCode(folder))
	}
	if err != nil {
		return err
	}
	newStack(app, chosen, dist)
	app.Synth(nil)
	return nil
}

//go:embed cdk.json
var cdkJSON []byte

// newApp returns an app with the context of cdk.json, which holds the feature flags. The command line passes that context too, but make synth
// does not use it. The app writes its templates to the folder.
func newApp(folder *string) (awscdk.App, error) {
	var file struct {
		Context map[string]any `json:"context"`
	}
	if err := json.Unmarshal(cdkJSON, &file); err != nil {
		return nil, fmt.Errorf("cdk.json: %w", err)
	}
	return awscdk.NewApp(&awscdk.AppProps{Context: &file.Context, Outdir: folder, AnalyticsReporting: jsii.Bool(false)}), nil
}
