package main

// addTokenCustomizer adds the function token-customizer, what calls it, and its alarms.
func (d deployment) addTokenCustomizer() {
	function := d.newFunction(functionProps{
		id:          "TokenCustomizer",
		name:        "token-customizer",
		description: "Customizes the tokens of a Cognito user pool",
		role:        "Lets the token customizer write logs",
		memory:      256,
		timeout:     4, // Cognito stops waiting after 5 s, and the function's log does not show it
		skips: []skip{
			{"CKV_AWS_115", "A reserved concurrency would refuse sign-ins in a burst. The throttles alarm watches the account's limit."},
			{"CKV_AWS_116", "Cognito calls the function synchronously. A dead letter queue only gets asynchronous calls."},
			{"CKV_AWS_117", "The function calls nothing inside a VPC, and joining one only adds ways to fail."},
		},
		logSkips: []skip{
			{"CKV_AWS_158", "CloudWatch Logs encrypts by default, and the function logs no secrets and no personal data."},
		},
	})
	d.newUserPool(function, userPoolProps{
		function:   "token-customizer",
		functionID: "TokenCustomizer",
		existing:   d.chosen.existingUserPoolID,
		tier:       d.chosen.userPoolTier,
		version:    "V2_0",
		attributes: []string{"plan", "tenant_id"},
	})
	// Cognito tries a call up to three times, and then the sign-in or the token refresh fails. So a single error matters.
	d.alarmAtOnce("ErrorsAlarm", count(function, "AWS/Lambda", "Errors"),
		"The token customizer fails, so users cannot sign in. Read its log. To get users in at once, run scripts/attach.sh detach.")
	d.alarmAtOnce("ThrottlesAlarm", count(function, "AWS/Lambda", "Throttles"),
		"Lambda throttles the token customizer, so users cannot sign in. The account has reached its concurrency limit.")
	d.alarmIfSlow("DurationAlarm", function, 3000, "The token customizer takes more than 3 s of its 4 s.")
}
