package benchmark

import (
	"fmt"
	"math"

	"github.com/golam-cli/golam/internal/units"
)

// Prices of us-east-1 in US dollars, first tier, without the free tier (AWS Lambda Pricing, as read in June 2026).
const (
	pricePerMillion = 0.20
	priceARM        = 0.0000133334 // per GB-second
	priceX86        = 0.0000166667
	priceDate       = "2026-06"
)

// Cost estimates what Lambda charges for invocations of a function, in US dollars.
type Cost struct {
	MemorySize int `json:"memoryMB"`
	// PerMillion is for a million warm invocations, PerMillionCold for a million with a cold start each.
	PerMillion     float64 `json:"perMillion"`
	PerMillionCold float64 `json:"perMillionCold"`
	// Formula is PerMillion's, with its figures.
	Formula string `json:"formula"`
	// Prices says whose prices these are, and of when.
	Prices string `json:"prices"`
}

// estimate takes the durations that Lambda would bill: in whole milliseconds, init phases included.
func estimate(rounds []Round, memorySize int, arch string) Cost {
	price := priceX86
	if arch == "arm64" {
		price = priceARM
	}
	var warm, cold float64
	var invocations, starts int
	for _, round := range rounds {
		for _, sample := range round {
			cold += units.Milliseconds(sample.Billed)
			starts++
			for _, invocation := range sample.Warm {
				warm += units.Milliseconds(invocation.Billed)
				invocations++
			}
		}
	}
	warm /= math.Max(float64(invocations), 1)
	cold /= math.Max(float64(starts), 1)
	gigabytes := float64(memorySize) / 1024
	perMillion := func(billed float64) float64 { return pricePerMillion + 1e6*billed/1000*gigabytes*price }
	return Cost{
		MemorySize:     memorySize,
		PerMillion:     perMillion(warm),
		PerMillionCold: perMillion(cold),
		Formula: fmt.Sprintf("$%.2f + 1,000,000 x %.2f ms billed x %.4g GB x $%.10f per GB-second",
			pricePerMillion, warm, gigabytes, price),
		Prices: fmt.Sprintf("us-east-1, %s, first tier, as of %s", arch, priceDate),
	}
}
