package screen

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/watch"
)

// model is what the screen knows.
type model struct {
	ctx     context.Context
	actions Actions
	styles  styles

	width, height int

	serving   watch.Serving
	functions []running.Function
	building  bool
	last      *watch.Build // nil before the first
	lastAt    string
	brokenAt  string // when the source was broken, which may be builds ago

	happened []*happening
	byID     map[string]*happening // invocations by request id, traces by trace id
	total    int                   // invocations
	failed   int
	scrolled int // lines above the end
	logs     bool

	picker *picker
	notice string // of a key, until the next

	interrupted bool
}

// happening is something in the list of what has happened.
type happening struct {
	event watch.Event
	logs  []string
}

// What is kept.
const (
	maxHappened = 500
	maxLogs     = 50       // lines of an invocation
	maxTraces   = 64 << 20 // bytes of all traces
)

const noFunction = "no function has been built yet"

func newModel(ctx context.Context, actions Actions) *model {
	return &model{ctx: ctx, actions: actions, styles: newStyles(), byID: map[string]*happening{}, logs: true}
}

// Init has nothing to do.
func (m *model) Init() tea.Cmd { return nil }

// invoked is the outcome of a key that invokes.
type invoked struct{ err error }

// listed are the examples that there are.
type listed struct {
	names []string
	err   error
}

// Update takes an event or a key.
func (m *model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = message.Width, message.Height
	case watch.Event:
		m.take(message)
	case listed:
		functions := m.servingNames() // the last one may have gone since the key
		switch {
		case message.err != nil:
			m.notice = message.err.Error()
		case len(functions) == 0:
			m.notice = noFunction
		case len(message.names) == 0:
			m.notice = "there are no examples"
		default:
			m.picker = newPicker(functions, message.names)
		}
	case invoked:
		if message.err != nil {
			m.notice = message.err.Error()
		}
	case tea.KeyPressMsg:
		return m, m.press(message.String())
	}
	return m, nil
}

// take keeps an event.
func (m *model) take(e watch.Event) {
	switch e.Type {
	case watch.EventServing:
		m.serving = *e.Serving
	case watch.EventBuilding:
		m.building = true
	case watch.EventBuilt:
		m.functions = e.Functions
		m.building = slices.ContainsFunc(e.Functions, func(f running.Function) bool { return f.Pending })
		if e.Build.Error != "" && (m.last == nil || m.last.Error == "") {
			m.brokenAt = e.Time.Format("15:04:05")
		}
		m.last, m.lastAt = e.Build, e.Time.Format("15:04:05")
	case watch.EventLog:
		m.takeLog(e)
	case watch.EventInvocation:
		m.total++
		if e.Invocation.Error != nil {
			m.failed++
		}
		h := m.of(e.Invocation.RequestID, e)
		h.event = e
	case watch.EventTrace:
		h := m.of(e.Trace.ID, e)
		if h.event.Trace != nil {
			joined := h.event.Trace.Join(*e.Trace)
			e.Trace = &joined
		}
		h.event = e
		m.forget()
	default:
		m.add(&happening{event: e})
	}
}

// of finds what an id stands for, or adds it.
func (m *model) of(id string, e watch.Event) *happening {
	if h := m.byID[id]; h != nil {
		return h
	}
	h := &happening{event: e}
	m.byID[id] = h
	m.add(h)
	return h
}

func (m *model) takeLog(e watch.Event) {
	if e.Log.Platform {
		return // the invocation tells
	}
	if e.Log.RequestID == "" {
		m.add(&happening{event: e})
		return
	}
	h := m.of(e.Log.RequestID, e)
	if len(h.logs) < maxLogs {
		h.logs = append(h.logs, e.Log.Text)
	}
}

func (m *model) add(h *happening) {
	m.happened = append(m.happened, h)
	m.forget()
}

// forget drops the oldest where there is too much.
func (m *model) forget() {
	traces := 0
	for _, h := range m.happened {
		if h.event.Trace != nil {
			traces += h.event.Trace.Size()
		}
	}
	for len(m.happened) > maxHappened || traces > maxTraces && len(m.happened) > 1 {
		if trace := m.happened[0].event.Trace; trace != nil {
			traces -= trace.Size()
		}
		for id, other := range m.byID {
			if other == m.happened[0] {
				delete(m.byID, id)
			}
		}
		m.happened = m.happened[1:]
	}
}

// servingNames are the functions that can be invoked.
func (m *model) servingNames() []string {
	var names []string
	for _, f := range m.functions {
		if f.Serving {
			names = append(names, f.Name)
		}
	}
	return names
}

// press does what a key asks for.
func (m *model) press(key string) tea.Cmd {
	m.notice = ""
	if key == "ctrl+c" {
		m.interrupted = true
		return tea.Quit
	}
	if m.picker != nil {
		return m.pick(key)
	}
	page := max(m.height/2, 1)
	switch key {
	case "q":
		return tea.Quit
	case "i":
		if len(m.servingNames()) == 0 {
			m.notice = noFunction
			return nil
		}
		return func() tea.Msg {
			names, err := m.actions.Examples()
			return listed{names, err}
		}
	case "c":
		m.happened, m.byID, m.scrolled, m.total, m.failed = nil, map[string]*happening{}, 0, 0, 0
	case "l":
		m.logs = !m.logs
	case "up", "k":
		m.scrolled++
	case "down", "j":
		m.scrolled--
	case "pgup", "b":
		m.scrolled += page
	case "pgdown", "space":
		m.scrolled -= page
	case "end", "G":
		m.scrolled = 0
	}
	m.scrolled = max(m.scrolled, 0)
	return nil
}

// pick is press while the picker is there.
func (m *model) pick(key string) tea.Cmd {
	p := m.picker
	switch key {
	case "esc":
		m.picker = nil
	case "tab":
		p.function = (p.function + 1) % len(p.functions)
	case "up":
		p.example = max(p.example-1, 0)
	case "down":
		p.example = min(p.example+1, len(p.shown())-1)
	case "backspace":
		if p.filter != "" {
			runes := []rune(p.filter)
			p.filter, p.example = string(runes[:len(runes)-1]), 0
		}
	case "enter":
		shown := p.shown()
		if len(shown) == 0 {
			return nil
		}
		function, example := p.functions[p.function], shown[p.example]
		m.picker, m.scrolled = nil, 0
		return func() tea.Msg { return invoked{m.actions.Invoke(m.ctx, function, example)} }
	default:
		if len([]rune(key)) == 1 {
			p.filter, p.example = p.filter+key, 0
		}
	}
	return nil
}

// picker chooses a function and an example.
type picker struct {
	functions []string
	function  int
	examples  []string
	filter    string // what the names of examples must have
	example   int    // of the ones shown
}

func newPicker(functions, examples []string) *picker {
	return &picker{functions: functions, examples: examples}
}

// shown are the examples that the filter lets through.
func (p *picker) shown() []string {
	var names []string
	for _, name := range p.examples {
		if strings.Contains(name, p.filter) {
			names = append(names, name)
		}
	}
	return names
}
