package rules
import ("testing";"os";"bytes";"encoding/json";"github.com/go-json-experiment/json/jsontext")
func lines() [][]byte { b,_:=os.ReadFile("../../schemas/testdata/track-events.ndjson"); return bytes.Split(bytes.TrimSpace(b),[]byte("\n")) }
func BenchmarkStd(b *testing.B){ ls:=lines(); b.ReportAllocs(); i:=0; for b.Loop() { var v any; json.Unmarshal(ls[i%len(ls)],&v); i++ } }
func val(d *jsontext.Decoder) any {
 switch d.PeekKind() {
 case '{': d.ReadToken(); m:=map[string]any{}; for d.PeekKind()!='}' { t,_:=d.ReadToken(); k:=t.String(); m[k]=val(d) }; d.ReadToken(); return m
 case '[': d.ReadToken(); var m []any; for d.PeekKind()!=']' { m=append(m,val(d)) }; d.ReadToken(); return m
 }
 t,_:=d.ReadToken()
 switch t.Kind() { case '"': return t.String(); case '0': return 1.0; case 't': return true;case 'f': return false}
 return nil
}
func BenchmarkTok(b *testing.B){ ls:=lines(); b.ReportAllocs(); i:=0; for b.Loop() { d:=jsontext.NewDecoder(bytes.NewBuffer(ls[i%len(ls)]),jsontext.AllowDuplicateNames(true)); val(d); i++ } }
func BenchmarkTop(b *testing.B){ ls:=lines(); b.ReportAllocs(); i:=0; d:=jsontext.NewDecoder(bytes.NewBuffer(nil),jsontext.AllowDuplicateNames(true)); for b.Loop() { d.Reset(bytes.NewBuffer(ls[i%len(ls)]),jsontext.AllowDuplicateNames(true)); d.ReadToken(); n:=0; for d.PeekKind()!='}' { d.ReadToken(); d.ReadValue(); n++ }; d.ReadToken(); i++ } }
func BenchmarkValid(b *testing.B){ ls:=lines(); b.ReportAllocs(); i:=0; for b.Loop() { jsontext.Value(ls[i%len(ls)]).IsValid(jsontext.AllowDuplicateNames(true)); i++ } }
