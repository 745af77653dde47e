package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Answer is an HTTP answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Request makes a request with a JSON body (none when nil). The error is that of the connection.
func Request(method, url string, body []byte, header http.Header) (Answer, error) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return Answer{response.StatusCode, response.Header, got}, err
}

// ok reports whether a GET is answered 200.
func (p *Pipeline) ok(url string) error {
	answer, err := Request(http.MethodGet, url, nil, nil)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, answer.Status, answer.Body)
	}
	return nil
}

// Call makes a management request and decodes its answer, which must have the status wanted and be as the API's OpenAPI
// document says.
func (p *Pipeline) Call(method, path string, wantStatus int, in, out any) {
	p.t.Helper()
	if err := p.TryCall(method, path, wantStatus, in, out); err != nil {
		p.t.Fatal(err)
	}
}

// TryCall is Call for use inside Eventually.
func (p *Pipeline) TryCall(method, path string, wantStatus int, in, out any) error {
	var body []byte
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = encoded
	}
	answer, err := Request(method, p.APIURL+path, body, nil)
	if err != nil {
		return err
	}
	contract, err := p.contract()
	if err != nil {
		return err
	}
	withoutQuery, _, _ := strings.Cut(path, "?")
	if err := contract.Check(Exchange{Method: method, Path: withoutQuery, Sent: body, Answer: answer}); err != nil {
		return err
	}
	if answer.Status != wantStatus {
		return fmt.Errorf("%s %s: %d, want %d: %s", method, path, answer.Status, wantStatus, answer.Body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return fmt.Errorf("%s %s: %w in %s", method, path, err, answer.Body)
	}
	return nil
}

// All reads a list of the management API to its end, page by page.
func All[T any](p *Pipeline, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", "500")
	for {
		var page struct {
			Items      []T     `json:"items"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := p.TryCall(http.MethodGet, path+"?"+query.Encode(), http.StatusOK, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			return all, nil
		}
		query.Set("cursor", *page.NextCursor)
	}
}

// Query asks ClickHouse, through its read-only interface, and decodes each row of the answer.
func Query[T any](p *Pipeline, sql string) ([]T, error) {
	answer, err := Request(http.MethodPost, p.ClickHouse+"/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=0", []byte(sql), nil)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("ClickHouse: %d %s", answer.Status, answer.Body)
	}
	var rows []T
	decoder := json.NewDecoder(bytes.NewReader(answer.Body))
	for decoder.More() {
		var row T
		if err := decoder.Decode(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Decode reads the JSON of an answer that must be 200.
func Decode(answer Answer, into any) error {
	if answer.Status != http.StatusOK {
		return fmt.Errorf("answered %d: %s", answer.Status, answer.Body)
	}
	return json.Unmarshal(answer.Body, into)
}
