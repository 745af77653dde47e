package main

import (
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// typed returns an empty object of the Kubernetes type that a document says it is, or nothing where the type comes from
// somebody else: KEDA and the Prometheus operator.
func typed(of metav1.TypeMeta) (object any, isForeign bool) {
	switch of.APIVersion + " " + of.Kind {
	case "apps/v1 Deployment":
		return new(appsv1.Deployment), false
	case "apps/v1 StatefulSet":
		return new(appsv1.StatefulSet), false
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return new(autoscalingv2.HorizontalPodAutoscaler), false
	case "batch/v1 Job":
		return new(batchv1.Job), false
	case "networking.k8s.io/v1 Ingress":
		return new(networkingv1.Ingress), false
	case "networking.k8s.io/v1 NetworkPolicy":
		return new(networkingv1.NetworkPolicy), false
	case "policy/v1 PodDisruptionBudget":
		return new(policyv1.PodDisruptionBudget), false
	case "v1 ConfigMap":
		return new(corev1.ConfigMap), false
	case "v1 Service":
		return new(corev1.Service), false
	case "v1 ServiceAccount":
		return new(corev1.ServiceAccount), false
	}
	return nil, slices.Contains([]string{"keda.sh/v1alpha1 ScaledObject", "monitoring.coreos.com/v1 ServiceMonitor"}, of.APIVersion+" "+of.Kind)
}

// checkAll decodes every object strictly, and looks at the pods among them.
func checkAll(documents []document) error {
	var problems []error
	for _, one := range documents {
		if err := check(one); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w in\n%s", one.template, err, one.text))
		}
	}
	return errors.Join(problems...)
}

func check(one document) error {
	var of metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(one.text), &of); err != nil {
		return err
	}
	object, isForeign := typed(of)
	if isForeign {
		var any map[string]any
		return yaml.UnmarshalStrict([]byte(one.text), &any)
	}
	if object == nil {
		return fmt.Errorf("%s %s is no type that this check knows", of.APIVersion, of.Kind)
	}
	if err := yaml.UnmarshalStrict([]byte(one.text), object); err != nil {
		return err
	}
	switch object := object.(type) {
	case *appsv1.Deployment:
		return errors.Join(checkSelector(object.Spec.Selector, object.Spec.Template), checkPod(object.Spec.Template.Spec))
	case *appsv1.StatefulSet:
		return errors.Join(checkSelector(object.Spec.Selector, object.Spec.Template), checkPod(object.Spec.Template.Spec))
	case *batchv1.Job:
		return checkPod(object.Spec.Template.Spec)
	}
	return nil
}

// checkSelector: an API server refuses a workload that does not select its own pods.
func checkSelector(selector *metav1.LabelSelector, template corev1.PodTemplateSpec) error {
	for name, value := range selector.MatchLabels {
		if template.Labels[name] != value {
			return fmt.Errorf("the selector's label %s=%s is not on the pod", name, value)
		}
	}
	return nil
}

// checkPod holds a pod against the restricted profile of Kubernetes' Pod Security Standards, with a root file system that
// is read only on top, and against what an API server would refuse: mounts of volumes that are not there.
func checkPod(pod corev1.PodSpec) error {
	var problems []error
	expect := func(isRight bool, what string) {
		if !isRight {
			problems = append(problems, errors.New(what))
		}
	}
	security := pod.SecurityContext
	expect(security != nil && isSet(security.RunAsNonRoot) && security.SeccompProfile != nil &&
		security.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault, "the pod may run as root, or without seccomp's profile")
	for _, container := range pod.Containers {
		own := container.SecurityContext
		expect(own != nil && isSet(own.ReadOnlyRootFilesystem) && own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation &&
			own.Capabilities != nil && slices.Equal(own.Capabilities.Drop, []corev1.Capability{"ALL"}), "container "+container.Name+" may more than it needs")
		expect(!container.Resources.Limits.Memory().IsZero() && !container.Resources.Requests.Cpu().IsZero(), "container "+container.Name+" has no resources")
		for _, mount := range container.VolumeMounts {
			hasVolume := slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
			expect(hasVolume || mount.Name == "state", "container "+container.Name+" mounts "+mount.Name+", which is no volume")
		}
	}
	return errors.Join(problems...)
}

func isSet(flag *bool) bool { return flag != nil && *flag }
