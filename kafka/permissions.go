package kafka

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/schemas"
)

// Permission is what a role must be allowed on the brokers.
type Permission struct {
	Resource   kmsg.ACLResourceType
	Name       string
	IsPrefix   bool // Name is what the names begin with
	Operations []kmsg.ACLOperation
}

// rights are a role's permissions, by names without the prefix. Kafka lets who may read or write a thing describe it, too.
type rights struct {
	reads, writes []string // topics
	inspects      []string // topics whose settings it asks for
	creates       []string // topics
	joins         []string // consumer groups
	joinsBelow    []string // consumer groups, by what their names begin with
	deletesBelow  []string // consumer groups that it deletes when it has done with them
	looksBelow    []string // consumer groups whose offsets it asks for
	transacts     []string // transactional IDs
	transactBelow []string // transactional IDs, by what they begin with
}

// Roles lists those that come to Kafka: the roles, and the command `millrace topics`.
func Roles() []string {
	return []string{"ingest", "processor", "dispatcher", "eventlog", "replay", "api", "topics"}
}

func rightsOf(role string) (rights, error) {
	switch role {
	case "ingest":
		return rights{reads: []string{schemas.CatalogTopic}, writes: []string{schemas.EventsTopic, schemas.RejectionsTopic}}, nil
	case "processor":
		return rights{
			reads: []string{schemas.CatalogTopic, schemas.EventsTopic}, writes: []string{schemas.DecisionsTopic, schemas.RunsTopic},
			inspects: []string{schemas.EventsTopic}, joins: []string{"processor"}, transactBelow: []string{"processor."},
		}, nil
	case "dispatcher":
		retries := []string{schemas.RetryShortTopic, schemas.RetryLongTopic, schemas.RetryLastTopic}
		return rights{
			reads:  append([]string{schemas.CatalogTopic, schemas.RunsTopic, schemas.ReplayRunsTopic, schemas.DeliveriesTopic}, retries...),
			writes: append([]string{schemas.DeliveriesTopic, schemas.DeadRunsTopic}, retries...),
			joins:  []string{"dispatcher", "dispatcher.replay"},
		}, nil
	case "eventlog":
		return rights{
			reads: []string{
				schemas.EventsTopic, schemas.RejectionsTopic, schemas.DecisionsTopic, schemas.RunsTopic, schemas.ReplayedTopic,
				schemas.ReplayRunsTopic, schemas.DeliveriesTopic, schemas.DeadRunsTopic, schemas.AuditTopic,
			},
			joins: []string{"eventlog"},
		}, nil
	case "replay":
		return rights{
			reads:  []string{schemas.CatalogTopic, schemas.EventsTopic},
			writes: []string{schemas.CatalogTopic, schemas.AuditTopic, schemas.ReplayRunsTopic, schemas.ReplayedTopic},
			// "replay." is nobody else's: the dispatcher's group is dispatcher.replay.
			joinsBelow: []string{"replay."}, deletesBelow: []string{"replay."}, transacts: []string{"catalog"},
		}, nil
	case "api":
		return rights{
			// It reads events for a dry run, and writes runs when dead letters are sent again.
			reads:  []string{schemas.CatalogTopic, schemas.EventsTopic},
			writes: []string{schemas.CatalogTopic, schemas.AuditTopic, schemas.RunsTopic},
			// How far a replay is, is in its group's offsets.
			looksBelow: []string{"replay."}, transacts: []string{"catalog"},
		}, nil
	case "topics":
		var all []string
		for _, topic := range schemas.Topics() {
			all = append(all, topic.Name)
		}
		return rights{creates: all}, nil
	}
	return rights{}, fmt.Errorf("role %q does not come to Kafka; those that do are %s", role, strings.Join(Roles(), ", "))
}

// Permissions returns what a role must be allowed, and may be refused nothing of. It needs no more.
func (c Config) Permissions(role string) ([]Permission, error) {
	may, err := rightsOf(role)
	if err != nil {
		return nil, err
	}
	var all []Permission
	add := func(resource kmsg.ACLResourceType, isPrefix bool, names []string, operations ...kmsg.ACLOperation) {
		for _, name := range names {
			all = append(all, Permission{resource, c.TopicPrefix + name, isPrefix, operations})
		}
	}
	add(kmsg.ACLResourceTypeTopic, false, may.reads, kmsg.ACLOperationRead)
	add(kmsg.ACLResourceTypeTopic, false, may.writes, kmsg.ACLOperationWrite)
	add(kmsg.ACLResourceTypeTopic, false, may.inspects, kmsg.ACLOperationDescribeConfigs)
	add(kmsg.ACLResourceTypeTopic, false, may.creates, kmsg.ACLOperationCreate, kmsg.ACLOperationDescribe)
	add(kmsg.ACLResourceTypeGroup, false, may.joins, kmsg.ACLOperationRead)
	add(kmsg.ACLResourceTypeGroup, true, may.joinsBelow, kmsg.ACLOperationRead)
	add(kmsg.ACLResourceTypeGroup, true, may.deletesBelow, kmsg.ACLOperationDelete)
	add(kmsg.ACLResourceTypeGroup, true, may.looksBelow, kmsg.ACLOperationDescribe)
	add(kmsg.ACLResourceTypeTransactionalId, false, may.transacts, kmsg.ACLOperationWrite)
	add(kmsg.ACLResourceTypeTransactionalId, true, may.transactBelow, kmsg.ACLOperationWrite)
	return all, nil
}

// Arguments are what makes Kafka's kafka-acls.sh give the permission to a principal.
func (p Permission) Arguments(principal string) []string {
	args := []string{"--add", "--allow-principal", principal}
	for _, operation := range p.Operations {
		args = append(args, "--operation", operationName(operation))
	}
	kind := map[kmsg.ACLResourceType]string{
		kmsg.ACLResourceTypeTopic: "--topic", kmsg.ACLResourceTypeGroup: "--group", kmsg.ACLResourceTypeTransactionalId: "--transactional-id",
	}[p.Resource]
	args = append(args, kind, p.Name)
	if p.IsPrefix {
		args = append(args, "--resource-pattern-type", "prefixed")
	}
	return args
}

// operationName is Kafka's own, DescribeConfigs and not DESCRIBE_CONFIGS.
func operationName(operation kmsg.ACLOperation) string {
	var name strings.Builder
	for word := range strings.SplitSeq(operation.String(), "_") {
		name.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return name.String()
}
