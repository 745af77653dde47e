package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/millrace/millrace/kafka"
)

type aclsCommand struct {
	Roles       []string `arg:"" optional:"" name:"role" help:"Roles whose permissions are printed; all of them without one."`
	Principal   string   `help:"Whom the permissions are for, when it is one role; without it User:ROLE." placeholder:"User:NAME"`
	TopicPrefix string   `name:"kafka-topic-prefix" help:"What every topic name begins with." default:"millrace."`
}

// Validate refuses one principal for several roles: each of them would get what all need.
func (c *aclsCommand) Validate() error {
	if c.Principal != "" && len(c.Roles) != 1 {
		return fmt.Errorf("--principal is of one role: name the role, too")
	}
	return nil
}

// Run prints command lines for who administers Kafka: it connects to nothing.
func (c *aclsCommand) Run(tty terminal) error {
	roles := c.Roles
	if len(roles) == 0 {
		roles = kafka.Roles()
	}
	for _, role := range roles {
		permissions, err := kafka.Config{TopicPrefix: c.TopicPrefix}.Permissions(role)
		if err != nil {
			return err
		}
		fmt.Fprintf(tty.out, "# %s\n", role)
		for _, permission := range permissions {
			fmt.Fprintln(tty.out, "kafka-acls.sh --bootstrap-server \"$BROKERS\" --command-config \"$ADMIN_PROPERTIES\" "+
				strings.Join(permission.Arguments(cmp.Or(c.Principal, "User:"+role)), " "))
		}
	}
	return nil
}
