import { COMPOSE_DIR, STACK_CONTAINERS, composeEnvironment, type StartContainers } from '@hub/local/containers'

/** The stack of infra/compose.yaml in containers of its own, for machines that have an engine but no Java; removed with their data. */
export const startTestContainers: StartContainers = async (ports, secrets) => {
  const { DockerComposeEnvironment, Wait } = await import('testcontainers')
  let environment = new DockerComposeEnvironment(COMPOSE_DIR, 'compose.yaml').withEnvironment(composeEnvironment(ports, secrets))
  for (const service of STACK_CONTAINERS) environment = environment.withWaitStrategy(`${service}-1`, Wait.forHealthCheck())
  const started = await environment.up(STACK_CONTAINERS)
  return { stop: async () => { await started.down({ removeVolumes: true }) } }
}
