package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/generator"
)

// versionResult is what `golam version --output json` prints.
type versionResult struct {
	Version   string `json:"version"`
	Revision  string `json:"revision,omitempty"`
	Modified  bool   `json:"modified,omitempty"`
	Templates int    `json:"templates"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	result := version()
	if a.output == "json" {
		return a.printJSON(result)
	}
	_, err := fmt.Fprintf(a.stdout(), "golam %s, templates %d, %s %s\n", result.Version, result.Templates, result.Go, result.Platform)
	if err != nil {
		return fmt.Errorf("print the version: %w", err)
	}
	return nil
}

func version() versionResult {
	result := versionResult{
		Version: "devel", Templates: generator.TemplatesNumber, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return result
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		result.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			result.Revision = setting.Value
		case "vcs.modified":
			result.Modified = setting.Value == "true"
		}
	}
	return result
}
