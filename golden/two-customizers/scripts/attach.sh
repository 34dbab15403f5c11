#!/usr/bin/env bash
#
# Attaches a token customizer to a Cognito user pool that this project did not make, and detaches it again.
#
# UpdateUserPool resets every setting that a request leaves out. So this script reads the pool, saves what it read, changes only the pre token
# generation trigger, writes every setting back, and reads the pool again to check that nothing else has changed. It asks the AWS CLI which
# settings exist, so it also keeps settings that are newer than this script.
set -euo pipefail

lambda_version=''

usage() {
  cat <<'EOF'
usage: scripts/attach.sh attach [--dry-run] [--replace] --version VERSION POOL_ID FUNCTION_ARN
       scripts/attach.sh detach [--dry-run] POOL_ID
       scripts/attach.sh status POOL_ID

attach  makes the function the pre token generation trigger of the user pool
detach  removes the pre token generation trigger of the user pool, so that users can sign in again if the trigger is broken
status  shows the pool and its trigger

--dry-run  show the update without making it
--replace  attach even if another function is attached
--version  version of the trigger that the function is written for: V2_0, V1_0

Before every update, the script saves the pool's settings in the folder user-pool-backups.
Exit codes: 0 done, 1 refused or failed, 2 bad usage.
EOF
}

fail() {
  echo "attach.sh: $*" >&2
  exit 1
}

bad_usage() {
  echo "attach.sh: $*" >&2
  usage >&2
  exit 2
}

# Bash ignores set -e inside $(...). A function that runs there checks each command that can fail.

# Calls Amazon Cognito, and exits if the call fails.
cognito() {
  aws cognito-idp "$@" --region "$region" || exit 1
}

# Prints what the query finds in the pool's description, separated by tabs. A missing value is "None".
describe() {
  cognito describe-user-pool --user-pool-id "$pool" --query "UserPool | $1" --output text
}

# Drops the members that the patterns match from a JSON object on one line. A quote inside a JSON string has a backslash before it, so a
# pattern that begins with "name": matches only a member.
drop() {
  local json=$1 pattern
  shift
  for pattern in "$@"; do
    json=$(sed -E -e "s/$pattern,?//g" -e 's/,\}$/}/' <<<"$json") || exit 1
  done
  printf '%s\n' "$json"
}

drop_trigger() {
  drop "$1" '"PreTokenGenerationConfig":\{[^}]*\}' '"PreTokenGeneration":"[^"]*"'
}

# Prints the pool's settings as UpdateUserPool takes them, one per line: name, tab, JSON.
settings() {
  local members member query='' described name json
  members=$(cognito update-user-pool --generate-cli-skeleton | sed -n 's/^    "\([A-Za-z]*\)":.*/\1/p') || exit 1
  if [[ $members != *UserPoolTier* ]]; then
    fail 'this AWS CLI is too old and would reset settings that it does not know: install a current version'
  fi
  # to_string quotes a string only inside a list.
  for member in $members; do
    case $member in
      UserPoolId) ;;
      PoolName) query+="['PoolName',to_string([Name])]," ;;
      *) query+="['$member',to_string([$member])]," ;;
    esac
  done
  described=$(describe "[${query%,}]") || exit 1

  while IFS=$'\t' read -r name json; do
    json=${json#\[}
    json=${json%\]}
    case $name in
      UserPoolTags)
        # Cognito refuses AWS's own tags, such as those of CloudFormation.
        json=$(drop "$json" '"aws:[^"\\]*":"([^"\\]|\\.)*"') || exit 1
        ;;
      AdminCreateUserConfig)
        # Cognito describes this setting under two names, and refuses the old one.
        if [[ $described == *'"TemporaryPasswordValidityDays":'* ]]; then
          json=$(drop "$json" '"UnusedAccountValidityDays":[0-9]+') || exit 1
        fi
        ;;
    esac
    if [[ $json != null && $json != '{}' ]]; then
      printf '%s\t%s\n' "$name" "$json"
    fi
  done <<<"$described"
}

# Prints the input of UpdateUserPool that keeps the given settings and makes the given member, if any, the pool's trigger.
update_input() {
  local trigger=$2 name json lambda_config='{}'
  printf '{\n  "UserPoolId": "%s"' "$pool"
  while IFS=$'\t' read -r name json; do
    if [[ $name == LambdaConfig ]]; then
      lambda_config=$(drop_trigger "$json") || exit 1
    else
      printf ',\n  "%s": %s' "$name" "$json"
    fi
  done <<<"$1"
  if [[ -n $trigger ]]; then
    lambda_config=$(sed -e "s|}\$|,$trigger}|" -e 's/^{,/{/' <<<"$lambda_config") || exit 1
  fi
  printf ',\n  "LambdaConfig": %s\n}\n' "$lambda_config"
}

# Prints what the given settings hold besides the trigger. It is sorted, because Amazon Cognito promises no order.
content() {
  update_input "$1" '' | grep -o '[^,{}]\{1,\}' | sort
}

# Makes the given member, if any, the pool's trigger. With --dry-run it only shows the update.
update() {
  local trigger=$1 before kept after input backup
  before=$(settings)
  kept=$(content "$before")
  input=$(update_input "$before" "$trigger")
  if [[ -n $dry_run ]]; then
    echo "$input"
    exit
  fi

  backup=user-pool-backups/$pool-$(date -u +%Y%m%dT%H%M%SZ)-$$.json
  mkdir -p user-pool-backups
  cognito describe-user-pool --user-pool-id "$pool" --output json >"$backup"
  echo "The pool's settings are saved in $backup"

  cognito update-user-pool --cli-input-json "$input" >/dev/null
  after=$(settings)
  after=$(content "$after")
  if [[ $after != "$kept" ]]; then
    diff <(printf '%s\n' "$kept") <(printf '%s\n' "$after") >&2 || true
    fail "more than the trigger has changed, as shown above: the previous settings are in $backup"
  fi
}

attach() {
  local tier description pool_arn attached version policy
  tier=$(describe UserPoolTier)
  if [[ $tier == LITE && $lambda_version != V1_0 ]]; then
    fail "$pool is on the Lite plan, which has no $lambda_version trigger: change it to the Essentials or Plus plan first"
  fi
  description=$(describe "[Arn, LambdaConfig.PreTokenGenerationConfig.LambdaArn || LambdaConfig.PreTokenGeneration,
    LambdaConfig.PreTokenGenerationConfig.LambdaVersion]")
  IFS=$'\t' read -r pool_arn attached version <<<"$description"
  if [[ $attached == "$function_arn" && $version == "$lambda_version" ]]; then
    echo "$function_arn is already attached to $pool"
    return
  fi
  if [[ $attached != None && $attached != "$function_arn" && -z $replace ]]; then
    fail "$pool has another function attached, $attached: to replace it, use --replace"
  fi
  # If the pool may not call its trigger, every sign-in fails.
  if ! policy=$(aws lambda get-policy --function-name "$function_arn" --query Policy --output text --region "$region" 2>&1); then
    if [[ $policy != *ResourceNotFoundException* ]]; then
      fail "cannot read the function's policy: $policy"
    fi
    policy=''
  fi
  if [[ $policy != *"\"$pool_arn\""* ]]; then
    fail "the function does not let $pool_arn call it: first deploy with $pool as the existing user pool"
  fi

  update "\"PreTokenGenerationConfig\":{\"LambdaArn\":\"$function_arn\",\"LambdaVersion\":\"$lambda_version\"}"
  echo "$function_arn is attached to $pool"
}

detach() {
  local attached
  attached=$(describe "LambdaConfig.PreTokenGenerationConfig.LambdaArn || LambdaConfig.PreTokenGeneration")
  if [[ $attached == None ]]; then
    echo "$pool has no pre token generation trigger"
    return
  fi
  update ''
  echo "$attached is detached from $pool"
}

status() {
  cognito describe-user-pool --user-pool-id "$pool" --output table --query 'UserPool.{Pool: Id, Name: Name, Plan: UserPoolTier,
    Function: LambdaConfig.PreTokenGenerationConfig.LambdaArn || LambdaConfig.PreTokenGeneration,
    Version: LambdaConfig.PreTokenGenerationConfig.LambdaVersion}'
}

dry_run='' replace=''
words=()
while (($# > 0)); do
  argument=$1
  shift
  case $argument in
    --dry-run) dry_run=yes ;;
    --replace) replace=yes ;;
    --version)
      lambda_version=${1-}
      shift || bad_usage '--version needs a value'
      ;;
    -h | --help)
      usage
      exit
      ;;
    -*) bad_usage "unknown option $argument" ;;
    *) words+=("$argument") ;;
  esac
done

case ${words[0]-} in
  attach) operands=2 ;;
  detach | status) operands=1 ;;
  '') bad_usage 'give a command: attach, detach or status' ;;
  *) bad_usage "unknown command ${words[0]}" ;;
esac
if ((${#words[@]} != operands + 1)); then
  bad_usage "${words[0]} takes $operands argument(s), not $((${#words[@]} - 1))"
fi

pool=${words[1]}
if ! [[ $pool =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+$ ]]; then
  bad_usage "'$pool' is not a user pool ID, such as eu-west-1_AbCdEf123"
fi
region=${pool%_*}
function_arn=${words[2]-}
if [[ $function_arn == None ]]; then # the AWS CLI prints this if the stack has no such output
  fail 'the stack has no such function: run make deploy first'
fi
if [[ ${words[0]} == attach && ! $lambda_version =~ ^(V2_0|V1_0)$ ]]; then
  bad_usage "--version is '$lambda_version', and must be that of the function's trigger"
fi
if [[ ${words[0]} == attach ]] &&
  ! [[ $function_arn =~ ^arn:aws[a-z-]*:lambda:$region:[0-9]{12}:function:[0-9A-Za-z_-]+(:[0-9A-Za-z_-]+)?$ ]]; then
  bad_usage "'$function_arn' is not the ARN of a function in $region, the pool's Region"
fi

project=$(dirname "${BASH_SOURCE[0]}")/..
cd "$project"
umask 077
export AWS_PAGER=''
"${words[0]}"
