package endpoints_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"example.com/endpoints/awsendpoint"
)

// TestLikeTheSDK compares the hosts of a generated project with the endpoints of the AWS SDK in every region that the SDK knows, and in one
// region of each partition that AWS could open tomorrow.
func TestLikeTheSDK(t *testing.T) {
	compared, partitions := 0, knownPartitions(t)
	for partition, known := range partitions {
		for _, region := range append(known, tomorrow(known)) {
			bus, err := eventbridge.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), eventbridge.EndpointParameters{Region: aws.String(region)})
			if err != nil {
				t.Fatal(err)
			}
			secrets, err := secretsmanager.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), secretsmanager.EndpointParameters{Region: aws.String(region)})
			if err != nil {
				t.Fatal(err)
			}
			for service, want := range map[string]string{"events": bus.URI.Host, "secretsmanager": secrets.URI.Host} {
				if got := awsendpoint.Host(service, region); got != want {
					t.Errorf("%s in %s: got %s, the SDK has %s", service, partition, got, want)
				}
				compared++
			}
		}
	}
	if len(partitions) < 8 || compared < 100 {
		t.Errorf("compared %d hosts in %d partitions", compared, len(partitions))
	}
}

// tomorrow makes up a region from one that is known: eu-west-3 becomes eu-nowhere-9.
func tomorrow(known []string) string {
	parts := strings.Split(known[0], "-")
	return strings.Join(append(parts[:len(parts)-2], "nowhere", "9"), "-")
}

// knownPartitions reads the regions of each partition from the SDK's own list. The names that end in -global are no regions: they mean services
// without one.
func knownPartitions(t *testing.T) map[string][]string {
	t.Helper()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Partitions []struct {
			ID      string
			Regions map[string]struct{}
		}
	}
	if err := json.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for _, partition := range list.Partitions {
		for _, region := range slices.Sorted(maps.Keys(partition.Regions)) {
			if !strings.HasSuffix(region, "-global") {
				known[partition.ID] = append(known[partition.ID], region)
			}
		}
	}
	return known
}
