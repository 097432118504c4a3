import type { Deployment } from '../../deployment.js'

/** The path of a method (`predict`, `embedContent`) of a deployment's model. */
export type VertexPath = (deployment: Deployment, method: string) => string
