# The provider without any construct: plain Terraform, after `eval "$(flinkform env)"`.
terraform {
  required_providers {
    flink = {
      source = "flinkform.io/flinkform/flink"
    }
  }
}

# Endpoint and keys come from the environment.
provider "flink" {
  region = "cn-hangzhou"
}

resource "flink_workspace" "main" {
  name        = "hcl"
  cpu         = 4
  vpc_id      = "vpc-example"
  vswitch_ids = ["vsw-example"]
  bucket      = "hcl-flink"
}

resource "flink_namespace" "numbers" {
  workspace_id = flink_workspace.main.id
  name         = "numbers"
  cpu          = 2
}

resource "flink_job" "squares" {
  workspace   = flink_workspace.main.resource_id
  namespace   = flink_namespace.numbers.name
  name        = "squares"
  description = "Squares of random numbers"
  sql         = file("${path.module}/squares.sql")

  flink_options = {
    "execution.checkpointing.interval" = "5 s"
  }

  labels = {
    team = "numbers"
  }

  logging = {
    root = "INFO"
  }

  upgrade = {
    mode     = "savepoint"
    fallback = true
  }

  timeouts = {
    create = "5m"
  }
}

resource "flink_job" "cubes" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.numbers.name
  name      = "cubes"
  sql       = replace(file("${path.module}/squares.sql"), "n * n", "n * n * n")
  state     = "suspended"
}

# An edit that would lose state is an error of the plan; see the README.
variable "function" {
  default = "SUM"
}

variable "on_incompatible" {
  default = "fail"
}

resource "flink_job" "totals" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.numbers.name
  name      = "totals"
  sql       = replace(file("${path.module}/totals.sql"), "SUM", var.function)

  upgrade = {
    on_incompatible = var.on_incompatible
  }
}

data "flink_engine_versions" "all" {
  workspace = flink_workspace.main.resource_id
}

data "flink_jobs" "numbers" {
  workspace  = flink_workspace.main.resource_id
  namespace  = flink_namespace.numbers.name
  depends_on = [flink_job.squares, flink_job.cubes, flink_job.totals]
}

output "states" {
  value = { for job in data.flink_jobs.numbers.jobs : job.name => job.state }
}

output "verdict" {
  value = flink_job.totals.state_verdict
}

output "default_engine" {
  value = data.flink_engine_versions.all.default
}
