package wizard

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// lineWidth is where plain lines are wrapped: most terminals are wider.
const lineWidth = 79

// askLines asks in plain lines. (huh's own accessible mode takes the default where the input ends, and an answer where a field refuses it.)
func askLines(ctx context.Context, in io.Reader, out io.Writer, asked *interview) error {
	l := &lines{interview: asked, out: out, next: nextLine(ctx, in)}
	l.say("Enter alone takes what stands in brackets. Ctrl-C stops, and nothing is made.")
	for {
		for number := 0; number < len(l.pages); number++ { // the pages change with the kind
			title := l.pages[number].title
			l.title(title, number, l.flags(title))
			for i := 0; i < len(l.pages[number].options); i++ {
				option := l.pages[number].options[i]
				if err := l.ask(option); err != nil {
					return err
				}
				if option.Key == generator.KindKey {
					l.arrange()
				}
			}
		}
		if again, err := l.confirm(); !again {
			return err
		}
	}
}

// nextLine returns what reads a line, unless the input or the context ends before it does.
func nextLine(ctx context.Context, in io.Reader) func() (line string, ended bool) {
	buffered := bufio.NewReader(in)
	return func() (string, bool) {
		read := make(chan string, 1)
		go func() { // reading from a terminal cannot be called off
			defer close(read)
			if line, err := buffered.ReadString('\n'); err == nil {
				read <- strings.TrimSpace(line)
			}
		}()
		select {
		case line, more := <-read:
			return line, !more
		case <-ctx.Done():
			return "", true
		}
	}
}

// lines is the wizard in plain lines.
type lines struct {
	*interview
	out  io.Writer
	next func() (line string, ended bool)
}

// say writes a line, wrapped.
func (l *lines) say(format string, args ...any) {
	fmt.Fprintln(l.out, paragraph(fmt.Sprintf(format, args...), lineWidth))
}

// item writes a line below a label, wrapped beside it.
func (l *lines) item(label, format string, args ...any) {
	fmt.Fprintln(l.out, hanging(label, fmt.Sprintf(format, args...), lineWidth))
}

func (l *lines) title(title string, number int, given []string) {
	l.say("")
	l.say("%s, page %d of %d", title, number+1, len(l.pages)+1)
	if len(given) > 0 {
		l.item("given: ", "%s", strings.Join(given, " "))
	}
}

func (l *lines) complain(problems ...string) {
	for _, problem := range problems {
		l.item("* ", "%s", problem)
	}
}

// read asks for one line.
func (l *lines) read(prompt string) (string, error) {
	fmt.Fprint(l.out, prompt+": ")
	line, ended := l.next()
	if ended {
		l.say("")
		return "", ErrAborted
	}
	return line, nil
}

// ask asks for the answer to one option until it will do.
func (l *lines) ask(option generator.Option) error {
	l.say("")
	l.say("%s", option.Question)
	l.say("%s", option.Help)
	if option.Form == generator.Pairs {
		return l.askPairs(option)
	}
	if option.Form == generator.Choose {
		return l.askChoice(option)
	}
	prompt := option.Key
	if l.answers[option.Key] != "" {
		prompt += " [" + printable(l.answers[option.Key]) + "]"
	}
	for {
		value, err := l.read(prompt)
		if err != nil {
			return err
		}
		if value == "" {
			value = l.answers[option.Key]
		}
		problems := option.Check(value)
		if len(problems) == 0 {
			l.set(option.Key, value)
			return nil
		}
		l.complain(problems...)
	}
}

// askChoice asks for one of the option's choices: by its number, by what it is called, of which a letter will do for no and yes, or by its
// value as the flag takes it.
func (l *lines) askChoice(option generator.Option) error {
	var words []string
	for i, choice := range spoken(option) {
		words = append(words, choice.Value)
		label, help := fmt.Sprintf("  %d. %s", i+1, choice.Value), choice.Help
		if help != "" {
			label += ": "
		}
		l.item(label, "%s", help)
	}
	values := option.Values()
	prompt := "number or name [" + words[slices.Index(values, l.answers[option.Key])] + "]"
	for {
		line, err := l.read(prompt)
		if err != nil || line == "" {
			return err
		}
		typed := strings.ToLower(line)
		i := slices.IndexFunc(words, func(word string) bool {
			return strings.EqualFold(word, line) || option.IsSwitch() && strings.HasPrefix(word, typed)
		})
		if number, err := strconv.Atoi(line); err == nil && 1 <= number && number <= len(values) {
			i = number - 1
		} else if i < 0 {
			i = slices.Index(values, typed)
		}
		if i >= 0 {
			l.set(option.Key, values[i])
			return nil
		}
		l.complain(generator.Unknown("choice", line, words))
	}
}

// askPairs lets rows be added, changed and removed one by one.
func (l *lines) askPairs(option generator.Option) error {
	rows, _ := option.Pairing.Parse(l.answers[option.Key])
	l.say("Write %s to add or change a %s, and its number to remove it.", option.Pairing.Form, option.Pairing.Item)
	for {
		for i, row := range rows {
			l.item(fmt.Sprintf("  %d. ", i+1), "%s, %s %s", row.Left, option.Pairing.Relation, row.Right)
		}
		line, err := l.read(option.Pairing.Form + ", number, or Enter to go on")
		if err != nil {
			return err
		}
		if line == "" {
			problems := option.Check(pairs(rows))
			if len(problems) == 0 {
				l.set(option.Key, pairs(rows))
				return nil
			}
			l.complain(problems...)
			continue
		}
		if number, err := strconv.Atoi(line); err == nil && 1 <= number && number <= len(rows) {
			rows = slices.Delete(rows, number-1, number)
			continue
		}
		typed, problems := option.Pairing.Parse(line)
		l.complain(problems...)
		for _, row := range typed {
			if i := slices.IndexFunc(rows, func(r generator.Pair) bool { return r.Left == row.Left }); i >= 0 {
				rows[i] = row
			} else {
				rows = append(rows, row)
			}
		}
	}
}

// confirm shows what will be made. It reports whether to ask everything again.
func (l *lines) confirm() (again bool, err error) {
	l.title("Summary", len(l.pages), l.flags(""))
	summary, refusal := l.summary()
	words, prompt := []string{"yes", "no"}, "Make it?"
	if refusal == nil {
		l.say("%d files in %s:", len(summary.Files), printable(summary.Dir))
		for _, file := range summary.Files {
			l.item("  ", "%s", printable(file))
		}
		l.say("The same without questions:")
		for _, line := range summary.Command(lineWidth) {
			fmt.Fprintln(l.out, line)
		}
	} else {
		l.complain(printable(refusal.Error()))
		words, prompt = []string{"no"}, "Nothing can be made of these answers."
	}
	if len(l.pages) > 0 {
		prompt += " Back asks everything again, with the answers as they are."
		if words = append(words, "back"); refusal != nil {
			slices.Reverse(words)
		}
	}
	l.say("")
	l.say("%s", prompt)
	for {
		line, err := l.read(strings.Join(words, ", ") + " [" + words[0] + "]")
		if err != nil {
			return false, err
		}
		if line == "" {
			line = words[0]
		}
		i := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, strings.ToLower(line)) })
		if i < 0 {
			l.complain("write one of the words, or its first letter")
			continue
		}
		switch words[i] {
		case "yes":
			return false, nil
		case "no":
			return false, ErrAborted
		}
		return true, nil
	}
}
