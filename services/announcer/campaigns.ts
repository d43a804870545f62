/** Occasions on which the four bureaus publish together. */
export const CAMPAIGNS = ['315', '315-week', 'spring-festival', 'may-day', 'national-day'] as const
export type CampaignId = (typeof CAMPAIGNS)[number]
