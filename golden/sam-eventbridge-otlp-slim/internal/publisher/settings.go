package publisher

import "time"

// This is the file to edit: what is published, and what happens when it cannot be.
const (
	// Source and DetailType are what rules match. The function's role allows no others, so change both.
	Source     = "demo.token-customizer"
	DetailType = "TokensCustomized.v" + version
	// version is that of the detail. A new field leaves it; whatever could break a consumer raises it.
	version = "1"

	// OnFailure says what becomes of a sign-in whose event cannot be published: LetIn or Refuse.
	OnFailure = LetIn

	// metricNamespace is where CloudWatch shows how many events were published, failed and dropped.
	metricNamespace = "demo"

	// timeout bounds all that a sign-in waits for. It also ends answerMargin before the deadline of the invocation.
	timeout      = 800 * time.Millisecond
	answerMargin = 500 * time.Millisecond
	// attempts are those for one event. Each may take attemptTimeout, less than all: the first may find a connection that has died while
	// the function was frozen. Between two is backoff.
	attempts       = 2
	attemptTimeout = 500 * time.Millisecond
	backoff        = 100 * time.Millisecond
)
