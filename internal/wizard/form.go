package wizard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/golam-cli/golam/generator"
)

// decision is the answer to the last page's question.
type decision int

const (
	accept decision = iota
	change
	stop
)

// askPages runs the form on a terminal.
func askPages(ctx context.Context, config Config, asked *interview) error {
	m := newModel(asked)
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(endingInput(config.In)), tea.WithOutput(config.Out),
		// Bubble Tea would take SIGTERM for a normal end. It is the caller's: it ends the context.
		tea.WithoutSignalHandler(),
	}
	if !config.Color {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	_, err := tea.NewProgram(m, options...).Run()
	switch {
	case errors.Is(err, errInputEnded):
		return ErrAborted
	case err != nil:
		return fmt.Errorf("the form cannot be shown (--accessible asks in plain lines): %w", err)
	case m.form.State != huh.StateCompleted:
		return ErrAborted
	}
	return nil
}

var errInputEnded = errors.New("the input ended")

// endingInput makes the end of the input an error, since Bubble Tea waits for ever for the key after it. A file stays one, because a
// terminal has to be told what it is to do with keys.
func endingInput(in io.Reader) io.Reader {
	if file, ok := in.(*os.File); ok {
		return endingFile{file}
	}
	return endingReader{in}
}

type endingReader struct{ io.Reader }

func (r endingReader) Read(p []byte) (int, error) { return readToEnd(r.Reader, p) }

type endingFile struct{ *os.File }

func (f endingFile) Read(p []byte) (int, error) { return readToEnd(f.File, p) }

func readToEnd(in io.Reader, p []byte) (int, error) {
	n, err := in.Read(p)
	if errors.Is(err, io.EOF) {
		err = errInputEnded
	}
	return n, err
}

// model is the form as Bubble Tea runs it. The fields and their layout are huh's; the way from one to the next is the model's own, because
// huh's goes through messages: keys that arrive before they do act on the wrong field, and a field that is left backwards while its
// answer is wrong loses the focus for good (huh, issue 655).
type model struct {
	*interview
	styles styles
	form   *huh.Form
	fields map[string]*field // by the option's key
	last   *field            // the last page's, in fields under the empty key

	problem  string // what is wrong with the answer that was to be left
	decision decision
	summary  Summary
	refusal  error // why the summary's project cannot be made
	scrolled int   // lines of the summary that are above the window
	room     int   // lines of the summary that the window shows

	answered bool // some field has been left forwards
	leaving  bool // escape was the last key, and asked

	width, height int
}

// field is one question of the form.
type field struct {
	huh.Field
	option      generator.Option
	describe    func(width int, brief bool) // brief is without what a small terminal has no room for
	keys        string
	page        int
	first, last bool // of its page
}

func newModel(asked *interview) *model {
	m := &model{interview: asked, styles: newStyles(), width: 80, height: 24}
	m.build()
	return m
}

// build makes the form from the answers as they are.
func (m *model) build() {
	m.fields = map[string]*field{}
	var groups []*huh.Group
	for number, page := range m.pages {
		var fields []huh.Field
		for i, option := range page.options {
			f := m.newField(option)
			f.option, f.page, f.first, f.last = option, number, i == 0, i == len(page.options)-1
			m.fields[option.Key] = f
			fields = append(fields, f.Field)
		}
		groups = append(groups, huh.NewGroup(fields...))
	}
	m.decision = accept
	decisions := []huh.Option[decision]{huh.NewOption("Make the project", accept)}
	if len(m.pages) > 0 {
		decisions = append(decisions, huh.NewOption("Go back and change an answer", change))
	}
	decisions = append(decisions, huh.NewOption("Stop, and make nothing", stop))
	decide := huh.NewSelect[decision]().Title("Make it?").Options(decisions...).Value(&m.decision)
	m.last = &field{Field: decide, describe: func(int, bool) {}, keys: "↑/↓ choose", page: len(m.pages), first: true, last: true}
	m.fields[m.last.GetKey()] = m.last
	groups = append(groups, huh.NewGroup(decide))

	var keys huh.KeyMap // no others: the model moves between fields itself
	usual := huh.NewDefaultKeyMap()
	keys.Select.Up, keys.Select.Down = usual.Select.Up, usual.Select.Down
	m.form = huh.NewForm(groups...).WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return m.styles.Styles })).WithKeyMap(&keys).
		WithShowHelp(false).WithShowErrors(false)
	if len(m.pages) == 0 {
		m.preview()
	}
	m.layout()
}

func (m *model) newField(option generator.Option) *field {
	answer := &answer{m.interview, option.Key}
	switch option.Form {
	case generator.Choose:
		input := huh.NewSelect[string]().Key(option.Key).Title(option.Question).Accessor(answer)
		return &field{Field: input, keys: "↑/↓ choose", describe: func(width int, brief bool) {
			input.Description(help(option, width, brief)).Options(labelled(option, width-2, brief)...)
		}}
	case generator.Pairs:
		input := newClaims(option, m.styles, answer.Get(), answer.Set)
		return &field{Field: input, keys: "↑/↓ row · ctrl+x remove", describe: func(width int, brief bool) {
			input.help = help(option, width, brief)
		}}
	default:
		input := newLine(option, m.styles, answer)
		return &field{Field: input, describe: func(width int, brief bool) { input.describe(help(option, width, brief)) }}
	}
}

// answer is where huh keeps what is typed.
type answer struct {
	*interview
	key string
}

func (a *answer) Get() string      { return a.answers[a.key] }
func (a *answer) Set(value string) { a.set(a.key, strings.TrimSpace(value)) }

// focused is the field that gets the keys.
func (m *model) focused() *field { return m.fields[m.form.GetFocusedField().GetKey()] }

// Init starts the form.
func (m *model) Init() tea.Cmd { return m.form.Init() }

// redraw makes huh draw its page again, which it does on every message.
type redraw struct{}

// Update takes a key or another message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	module := m.answers["module"]
	cmd := m.handle(msg)
	if follower := m.fields["module"]; follower != nil && follower != m.focused() && m.answers["module"] != module {
		follower.Field.(*line).reload()
	}
	m.layout()
	m.form.Update(redraw{})
	return m, cmd
}

func (m *model) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		if msg.Width > 0 && msg.Height > 0 { // no terminal has no size
			m.width, m.height = msg.Width, msg.Height
		}
		return nil
	case tea.PasteMsg:
		m.problem = ""
	case tea.KeyPressMsg:
		m.problem = ""
		if msg.String() != "esc" {
			m.leaving = false
		}
		if cmd, done := m.press(msg.String()); done {
			return cmd
		}
	}
	_, cmd := m.form.Update(msg)
	return cmd
}

// press acts on the keys that are not the field's own.
func (m *model) press(key string) (cmd tea.Cmd, done bool) {
	rows, _ := m.focused().Field.(*claims)
	switch key {
	case "ctrl+c":
		return tea.Quit, true
	case "esc":
		return m.escape(), true
	case "enter", "tab":
		return m.forward(), true
	case "shift+tab":
		return m.back(), true
	case "pgdown":
		m.scrolled += m.room
		return nil, true
	case "pgup":
		m.scrolled -= m.room
		return nil, true
	}
	if rows == nil {
		return nil, false
	}
	switch {
	case key == "up":
		m.problem = rows.move(-1)
	case key == "down":
		m.problem = rows.move(1)
	case key == "ctrl+x":
		rows.remove()
	case key == "=" && !rows.attribute: // as --claims takes a pair
		m.problem, _ = rows.next()
	default:
		return nil, false
	}
	return nil, true
}

// forward leaves the field for the next one, if its answer will do.
func (m *model) forward() tea.Cmd {
	f := m.focused()
	if f == m.last {
		return m.decide()
	}
	if rows, ok := f.Field.(*claims); ok {
		var leave bool
		if m.problem, leave = rows.next(); !leave {
			return nil
		}
	}
	if problems := f.option.Check(m.answers[f.option.Key]); len(problems) > 0 {
		m.problem = strings.Join(problems, "\n")
		return nil
	}
	m.answered = true
	if f.option.Key == generator.KindKey && m.answers[generator.KindKey] != m.kind {
		m.arrange()
		return m.rebuild(f.option.Key)
	}
	if !f.last {
		return m.form.NextField()
	}
	cmd := m.form.NextGroup()
	if m.focused() == m.last {
		m.preview()
	}
	return cmd
}

// rebuild makes the form again, because its questions have changed, and goes to the one after a question.
func (m *model) rebuild(key string) tea.Cmd {
	m.build()
	commands := []tea.Cmd{m.form.Init()}
	next := func() {
		if m.focused().last {
			commands = append(commands, m.form.NextGroup())
		} else {
			commands = append(commands, m.form.NextField())
		}
	}
	for m.focused().option.Key != key {
		next()
	}
	next()
	if m.focused() == m.last {
		m.preview()
	}
	return tea.Batch(commands...)
}

// back leaves the field for the one before, whatever its answer: it is checked on the way forward.
func (m *model) back() tea.Cmd {
	f := m.focused()
	if rows, ok := f.Field.(*claims); ok && rows.previous() {
		return nil
	}
	switch {
	case !f.first:
		return m.form.PrevField()
	case f.page > 0:
		return m.form.PrevGroup()
	}
	return nil
}

// escape goes back, as shift+tab does. At the first field it ends the wizard; once something has been answered, it asks before.
func (m *model) escape() tea.Cmd {
	f := m.focused()
	rows, inClaims := f.Field.(*claims)
	switch {
	case !f.first || f.page > 0 || inClaims && rows.attribute:
		return m.back()
	case m.answered && !m.leaving:
		m.leaving = true
		m.problem = "esc again stops, and nothing is made"
		return nil
	}
	return tea.Quit
}

// preview finds out what the answers make.
func (m *model) preview() {
	m.summary, m.refusal = m.interview.summary()
	m.scrolled = 0
}

// decide ends the form, or starts it again with the answers as they are.
func (m *model) decide() tea.Cmd {
	switch {
	case m.decision == stop:
		return tea.Quit
	case m.decision == change:
		m.build()
		return m.form.Init()
	case m.refusal != nil:
		m.problem = "nothing can be made of these answers: go back and change one"
		return nil
	}
	m.form.NextGroup()
	return tea.Quit
}
