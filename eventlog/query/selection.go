package query

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/schemas"
)

// Selection says which events are meant. An empty member does not restrict.
type Selection struct {
	Source      string // ID
	Environment string
	Event       string // name
	Status      schemas.Status
	MessageID   string
	UserID      string
	Text        string    // words of the body
	Where       []string  // such as properties.total>100; all must hold
	Since       time.Time // of received_at
	Until       time.Time // excluded
}

// where returns the conditions that events must meet. Those on what decisions have as well come first, then the others.
func (s Selection) where(extra func(*filter)) (*filter, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	where := s.shared()
	if extra != nil {
		extra(where)
	}
	if s.Status != "" {
		decided := filter{conditions: slices.Clone(where.conditions)}
		decided.live()
		decided.add("status = {status:String}")
		where.add("event_id IN (SELECT event_id FROM decisions FINAL"+decided.sql()+")", clickhouse.Named("status", string(s.Status)))
	}
	return where, s.add(where)
}

// live leaves out what replays have decided: an event's status is what became of it when it came.
func (f *filter) live() { f.add("replay_id = ''") }

func (s Selection) check() error {
	if err := checkStatus(s.Status); err != nil {
		return err
	}
	return checkRange(s.Since, s.Until)
}

// shared are the conditions that hold for events and decisions alike.
func (s Selection) shared() *filter {
	where := new(filter)
	where.equals("environment", s.Environment)
	where.equals("source_id", s.Source)
	where.equals("event", s.Event)
	where.between("received_at", s.Since, s.Until)
	return where
}

// ofEvents tells whether something is asked that only the events themselves know.
func (s Selection) ofEvents() bool {
	return s.MessageID != "" || s.UserID != "" || s.Text != "" || len(s.Where) > 0
}

// add adds the conditions that only the events themselves can answer.
func (s Selection) add(where *filter) error {
	where.equals("message_id", s.MessageID)
	where.equals("user_id", s.UserID)
	if err := where.words(s.Text); err != nil {
		return err
	}
	if len(s.Where) > maxConditions {
		return &FilterError{"where", fmt.Sprintf("at most %d conditions", maxConditions)}
	}
	asks := &asks{prefix: "property"}
	for _, text := range s.Where {
		condition, err := parseCondition(text)
		if err != nil {
			return &FilterError{"where", fmt.Sprintf("%.100q: %v", text, err)}
		}
		where.add(asks.condition(condition))
	}
	where.args = append(where.args, asks.args...)
	return nil
}

// The bounds of a free text, in bytes and words.
const (
	maxText  = 200
	maxWords = 10
)

// words adds a search of the body: it must have the text, in any case as far as ASCII goes, and every word of it as a
// whole word, by which the index leaves out what cannot have it.
func (f *filter) words(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return &FilterError{"q", fmt.Sprintf("must be UTF-8 of at most %d bytes", maxText)}
	}
	text = lowerASCII(text)
	words := strings.FieldsFunc(text, isSeparator)
	if len(words) == 0 || len(words) > maxWords {
		return &FilterError{"q", fmt.Sprintf("must have 1 to %d words", maxWords)}
	}
	for i, word := range words {
		name := fmt.Sprintf("word_%d", i)
		f.add("hasToken(lower(body), {"+name+":String})", clickhouse.Named(name, word))
	}
	if words[0] != text {
		f.add("position(lower(body), {words:String}) > 0", clickhouse.Named("words", text))
	}
	return nil
}

// isSeparator tells what stands between words, as the index sees it.
func isSeparator(r rune) bool {
	return r < utf8.RuneSelf && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// lowerASCII is what the SQL function lower makes of a text.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
