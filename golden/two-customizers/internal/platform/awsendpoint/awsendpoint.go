// Package awsendpoint knows the hosts of AWS's services. It is the one place in this project that knows AWS's partitions: groups of regions
// with a domain of their own. Only the stack does not ask it, because CloudFormation knows its own partition.
package awsendpoint

import "strings"

// partitions have the prefix of their regions' names, and their domain. Every other region is in amazonaws.com.
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
