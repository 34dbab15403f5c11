package golden_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
)

// TestEndpointsOfTheSDK compares the hosts that a generated project knows with the AWS SDK's, in every region that the SDK knows.
func TestEndpointsOfTheSDK(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles clients of the AWS SDK")
	}
	besideTheSDK(t, "endpoints", "sam-eventbridge-otlp-slim/internal/platform/awsendpoint/awsendpoint.go")
	counts.Report(t, "the hosts of two services compared with the AWS SDK's in all of its regions")
}

// TestOnePlaceKnowsPartitions looks in every golden project for domains of AWS outside of the package that knows them. Principals are the same
// in all partitions.
func TestOnePlaceKnowsPartitions(t *testing.T) {
	domain := regexp.MustCompile(`[\w.$<>{}:%-]*\bamazonaws\.[\w.]+|\bc2s\.ic\.gov|\baws-cn\b`)
	principals := []string{"lambda.amazonaws.com", "events.amazonaws.com", "cognito-idp.amazonaws.com"}
	for _, variant := range kinds.All().Golden() {
		for _, file := range render(t, variant.Answers, variant.Functions...) {
			if path.Ext(file.Path) == ".md" || strings.HasSuffix(file.Path, "_test.go") || strings.HasSuffix(file.Path, "/cdk.json") ||
				strings.HasPrefix(file.Path, "internal/platform/awsendpoint/") {
				continue
			}
			for _, found := range domain.FindAllString(string(file.Content), -1) {
				if !slices.Contains(principals, found) {
					t.Errorf("%s: %s has %s: use internal/platform/awsendpoint, or AWS::URLSuffix in the stack", variant.Name, file.Path, found)
				}
			}
		}
	}
}
