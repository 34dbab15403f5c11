// Package awsendpoint returns the hosts of AWS services. It is the only place in the project's code that knows AWS's partitions, which are groups
// of regions with their own domain. The stack does not need it, because CloudFormation knows its own partition.
package awsendpoint

import "strings"

// partitions lists the prefix of each partition's regions, and its domain. All other regions are in amazonaws.com.
// Source: the partitions of the AWS SDK for Go v2.
var partitions = []struct{ prefix, domain string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// Host returns the host of a service in a region, such as events.eu-west-1.amazonaws.com.
func Host(service, region string) string {
	domain := "amazonaws.com"
	for _, partition := range partitions {
		if strings.HasPrefix(region, partition.prefix) {
			domain = partition.domain
		}
	}
	return service + "." + region + "." + domain
}
