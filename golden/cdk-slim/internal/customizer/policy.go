package customizer

// DefaultPolicy says what this function does to tokens. This is the file to edit; New checks it when the function starts, and
// example_test.go shows what else a policy can do.
func DefaultPolicy() Policy {
	return Policy{
		Rules: []Rule{
			{
				Claims: []Claim{
					{Name: "tenant_id", From: Attribute("custom:tenant_id")},
					{Name: "plan", From: Attribute("custom:plan")},
					{Name: "roles", From: Groups()},
				},
			},
		},
		OnProblem: Drop,
		MaxSize:   2048,
	}
}
