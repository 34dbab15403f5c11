package awsendpoint

import "testing"

// TestHost checks a region of each partition.
func TestHost(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":       "events.eu-west-1.amazonaws.com",
		"us-gov-west-1":   "events.us-gov-west-1.amazonaws.com",
		"cn-northwest-1":  "events.cn-northwest-1.amazonaws.com.cn",
		"eusc-de-east-1":  "events.eusc-de-east-1.amazonaws.eu",
		"us-iso-west-1":   "events.us-iso-west-1.c2s.ic.gov",
		"us-isob-east-1":  "events.us-isob-east-1.sc2s.sgov.gov",
		"eu-isoe-west-1":  "events.eu-isoe-west-1.cloud.adc-e.uk",
		"us-isof-south-1": "events.us-isof-south-1.csp.hci.ic.gov",
	} {
		if got := Host("events", region); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}
